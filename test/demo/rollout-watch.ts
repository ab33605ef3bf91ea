// Follows one release while the traffic goes on: what it says when it changes, and how the shares came out in each step.
import colors from 'picocolors';
import type { AssistantDeployment } from '@assistant-platform/api';
import { shareOf, type WeightSample } from './statistics.ts';

/** Requests answered so far, by revision. */
type ByRevision = Readonly<Record<string, number>>;

/** Watches one release; give it every look at the object. */
export class RolloutWatch {
  readonly #release: string;
  readonly #requests: () => ByRevision;
  readonly #print: (line: string) => void;
  readonly #samples: WeightSample[] = [];
  #held:
    | { readonly weight: number; readonly revision: string; readonly from: ByRevision; sessions: number | undefined }
    | undefined;
  #said = '';

  constructor(release: string, requests: () => ByRevision, print: (line: string) => void) {
    this.#release = release;
    this.#requests = requests;
    this.#print = print;
  }

  /** One look. */
  look({ status }: AssistantDeployment): void {
    if (status === undefined) return;
    const weight = status.weight;
    const revision = status.updateRevision?.hash ?? '';
    this.#say(`${status.phase ?? ''}: ${status.message ?? ''}`);
    const routed =
      weight !== undefined && weight.requested === weight.routed && weight.routed > 0 ? weight.routed : undefined;
    if (this.#held && (routed !== this.#held.weight || revision !== this.#held.revision)) this.end();
    if (routed === undefined || revision === '' || revision === status.stableRevision?.hash) return;
    this.#held ??= { weight: routed, revision, from: { ...this.#requests() }, sessions: undefined };
    if (weight?.observed !== undefined) this.#held.sessions = weight.observed;
  }

  /** Closes the step under way and gives all samples. */
  end(): readonly WeightSample[] {
    const held = this.#held;
    this.#held = undefined;
    if (held) {
      const now = this.#requests();
      const within = Object.fromEntries(
        Object.entries(now).map(([revision, n]) => [revision, n - (held.from[revision] ?? 0)]),
      );
      const samples = Object.values(within).reduce((a, b) => a + b, 0);
      // A look that saw a weight pass by says nothing about the share.
      if (samples >= 50) {
        this.#samples.push({
          release: this.#release,
          requested: held.weight,
          observedRequests: shareOf(held.revision, within),
          samples,
          observedSessions: held.sessions,
        });
      }
    }
    return this.#samples;
  }

  #say(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#print(`${colors.cyan(this.#release)} ${text}`);
  }
}
