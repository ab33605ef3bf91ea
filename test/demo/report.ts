// What the demonstration prints at its end. Pure: figures in, text out.
import colors from 'picocolors';
import { quantile, type RequestCounts, type WeightSample } from './statistics.ts';

/** Messages over WebSockets, from the clients' own books and the conversation logs read back at the end. */
export interface MessageCounts {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged, but not in the log that was read back. */
  readonly lost: number;
  /** Delivered, or in the log, more than once. */
  readonly duplicated: number;
  /** The first few of these, in words. */
  readonly duplicates: readonly string[];
}

/** Sockets over the whole run. */
export interface SocketCounts {
  readonly opened: number;
  /** Reconnects that a drain asked for. */
  readonly moved: number;
  /** Reconnects that nobody asked for (the connection broke, or could not be made). */
  readonly broken: number;
  /** Resumes that the server answered with `recovered: false`. */
  readonly notRecovered: number;
  /** How long each moved socket was away, in milliseconds. */
  readonly awayMs: readonly number[];
}

/** Traffic, so far or during one release. */
export interface Traffic {
  /** HTTP requests, and those of them that the platform failed. */
  readonly requests: number;
  readonly failures: number;
  /** Messages over WebSockets. */
  readonly acknowledged: number;
  /** Sockets that a drain moved. */
  readonly moved: number;
}

/** One release of the run. */
export interface ReleaseLine {
  readonly release: string;
  readonly strategy: string;
  readonly outcome: string;
  readonly seconds: number;
  /** During this release. */
  readonly traffic: Traffic;
}

/** Everything that the run found. */
export interface DemoReport {
  readonly seed: number;
  readonly seconds: number;
  readonly releases: readonly ReleaseLine[];
  readonly requests: RequestCounts;
  readonly messages: MessageCounts;
  readonly sockets: SocketCounts;
  readonly weights: readonly WeightSample[];
}

/** What went wrong, in words; empty when the demonstration holds what it promises. */
export function verdict(report: DemoReport): string[] {
  const wrong: string[] = [];
  const { requests, messages, sockets, releases } = report;
  if (requests.requests === 0) wrong.push('no request was sent');
  if (requests.failures > 0) wrong.push(`${requests.failures} requests failed (${requests.examples.join(' | ')})`);
  if (messages.acknowledged === 0) wrong.push('no message was acknowledged');
  if (messages.lost > 0) wrong.push(`${messages.lost} acknowledged messages lost`);
  if (messages.duplicated > 0)
    wrong.push(`${messages.duplicated} messages duplicated (${messages.duplicates.join(' | ')})`);
  // Nobody kills a pod here: whatever ends a socket is a drain.
  if (sockets.broken > 0) wrong.push(`${sockets.broken} connections broke without a drain, or were refused`);
  if (sockets.notRecovered > 0) wrong.push(`${sockets.notRecovered} resumes were not recovered`);
  if (requests.knownBug === 0)
    wrong.push('the release with a bug never answered an error, so that the abort proved nothing');
  for (const r of releases) {
    if (r.outcome.startsWith('unexpected')) wrong.push(`release ${r.release}: ${r.outcome}`);
  }
  return wrong;
}

/** The tables for people. */
export function render(report: DemoReport): string {
  const { requests, messages, sockets } = report;
  const lines = [
    colors.bold(`The run: ${minutes(report.seconds)}, seed ${report.seed}`),
    '',
    table(
      ['release', 'strategy', 'outcome', 'took', 'requests', 'failed', 'acknowledged', 'sockets moved'],
      report.releases.map(({ release, strategy, outcome, seconds, traffic }) => [
        ...[release, strategy, outcome, minutes(seconds), String(traffic.requests), flag(traffic.failures)],
        ...[String(traffic.acknowledged), String(traffic.moved)],
      ]),
    ),
    '',
    table(
      ['share of the new revision', 'requested', 'requests', 'of', 'open sessions'],
      report.weights.map((w) => [
        w.release,
        `${w.requested} %`,
        `${w.observedRequests.toFixed(1)} %`,
        String(w.samples),
        w.observedSessions === undefined ? '-' : `${w.observedSessions.toFixed(1)} %`,
      ]),
    ),
    '',
    table(
      ['HTTP requests', ''],
      [
        ['sent', String(requests.requests)],
        ['failed', flag(requests.failures)],
        ['errors of the release with a bug', String(requests.knownBug)],
        [
          'answered from',
          Object.entries(requests.byTier)
            .map(([tier, n]) => `${tier} ${n}`)
            .join(', ') || '-',
        ],
        [
          'p50 / p99',
          `${quantile(requests.latencies, 0.5).toFixed(0)} / ${quantile(requests.latencies, 0.99).toFixed(0)} ms`,
        ],
      ],
    ),
    '',
    table(
      ['messages over WebSockets', ''],
      [
        ['sent', String(messages.sent)],
        ['acknowledged', String(messages.acknowledged)],
        ['acknowledged and lost', flag(messages.lost)],
        ['duplicated', flag(messages.duplicated)],
      ],
    ),
    '',
    table(
      ['sockets', ''],
      [
        ['open', String(sockets.opened)],
        ['moved by a drain', String(sockets.moved)],
        ['broken', flag(sockets.broken)],
        ['not recovered', flag(sockets.notRecovered)],
        ['away p50 / p95 / max', [0.5, 0.95, 1].map((q) => quantile(sockets.awayMs, q).toFixed(0)).join(' / ') + ' ms'],
      ],
    ),
    '',
  ];
  const wrong = verdict(report);
  lines.push(
    wrong.length === 0
      ? colors.green('Zero failed requests, zero acknowledged messages lost.')
      : colors.red(`Not what was promised:\n${wrong.map((w) => `  - ${w}`).join('\n')}`),
  );
  return lines.join('\n');
}

function flag(count: number): string {
  return count === 0 ? '0' : colors.red(String(count));
}

function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Columns padded to the widest cell; the first row is the heading. Colour codes do not count as width. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join('   ')
      .trimEnd();
  return [colors.bold(line(heading)), ...rows.map(line)].map((text) => `  ${text}`).join('\n');
}

function width(cell: string): number {
  return cell.replace(/\u001b\[\d+m/g, '').length;
}
