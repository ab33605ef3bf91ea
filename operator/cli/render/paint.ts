// Colours by meaning. NO_COLOR, --no-color and anything that is no terminal turn them off (no-color.org).
import pc from 'picocolors';

/** Paints text by what it means. */
export interface Paint {
  readonly title: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly wait: (text: string) => string;
  /** Beside the point. */
  readonly faint: (text: string) => string;
}

/** Colours, or none at all. */
export function makePaint(colours: boolean): Paint {
  const { bold, green, red, yellow, dim } = pc.createColors(colours);
  return { title: bold, good: green, bad: red, wait: yellow, faint: dim };
}

/** The paint of each phase. */
export function paintPhase(paint: Paint, phase: string): string {
  if (phase === 'Healthy') return paint.good(phase);
  return phase === 'Degraded' || phase === 'RollingBack' ? paint.bad(phase) : paint.wait(phase);
}
