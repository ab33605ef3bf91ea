// The figures of a run: shown as they come, kept as a table.
import colors from 'picocolors';

export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target: string;
  /** What others need for it, as they were measured once (docs/benchmarks.md says when). */
  readonly peers: string;
}

export class Figures {
  readonly all: Figure[] = [];

  keep(what: string, value: string, target = '', peers = ''): void {
    this.all.push({ what, value, target, peers });
    const beside = [target === '' ? '' : `target ${target}`, peers].filter((text) => text !== '').join('; ');
    console.log(`  ${what}: ${value}${beside === '' ? '' : colors.dim(`  (${beside})`)}`);
  }

  /** Shown, not kept. */
  detail(text: string): void {
    console.log(colors.dim(`      ${text}`));
  }
}

/** The smallest value that at least `p` percent of the values do not exceed (nearest rank). */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('a percentile of nothing');
  return value;
}

export const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
