// The figures of many schedules, and how they are printed.
import type { Violation } from '../invariants/invariants.ts';
import type { Figures } from './run.ts';

export class Sum {
  #schedules = 0;
  #steps = 0;
  #writes = 0;
  #requests = 0;
  #simulatedMs = 0;
  #sessions = 0;
  #kills = 0;
  #handOvers = 0;
  readonly #faults = new Map<string, number>();
  readonly #violations = new Map<number, number>();

  add(figures: Figures, violations: readonly Violation[]): void {
    this.#schedules += 1;
    this.#steps += figures.steps;
    this.#writes += figures.writes;
    this.#requests += figures.requests;
    this.#simulatedMs += figures.simulatedMs;
    this.#sessions += figures.sessions;
    this.#kills += figures.kills;
    this.#handOvers += figures.handOvers;
    for (const [kind, times] of figures.faults) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + times);
    // One schedule that breaks an invariant again and again broke it once.
    for (const invariant of new Set(violations.map((violation) => violation.invariant)))
      this.#violations.set(invariant, (this.#violations.get(invariant) ?? 0) + 1);
  }

  /** One line in between. */
  progress(done: number, seconds: number): string {
    const broken = [...this.#violations.values()].reduce((sum, times) => sum + times, 0);
    return `  ${done} schedules, ${Math.round((done / seconds) * 60)} a minute, ${this.#writes} writes, ${broken} broken invariants`;
  }

  /** The figures at the end. */
  table(seconds: number): string {
    const hours = (this.#simulatedMs / 3_600_000).toFixed(1);
    const faults = [...this.#faults]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, times]) => `    ${kind.padEnd(28)} ${times}`);
    const violations = [...this.#violations].map(
      ([invariant, times]) => `    invariant ${invariant}: in ${times} schedules`,
    );
    return [
      `schedules   ${this.#schedules} in ${seconds.toFixed(1)} s (${Math.round((this.#schedules / seconds) * 60)} a minute)`,
      `steps       ${this.#steps} actions of people and faults, ${hours} simulated hours`,
      `operator    ${this.#requests} requests, ${this.#writes} writes, killed ${this.#kills} times, handed over ${this.#handOvers} times`,
      `sessions    ${this.#sessions} opened`,
      'faults',
      ...faults,
      violations.length === 0 ? 'violations  none' : `violations\n${violations.join('\n')}`,
    ].join('\n');
  }
}
