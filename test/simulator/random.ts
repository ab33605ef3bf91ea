// Chance with a seed: everything random in a simulated run comes from here, so that a seed replays it exactly.
import { createHash } from 'node:crypto';

/** A source of chance. The same seed gives the same numbers, on every machine. */
export class Chance {
  readonly seed: number;
  #a: number;

  /** @param seed any integer; the lower 32 bits count. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
  }

  /** In [0, 1). Algorithm: mulberry32 (Tommy Ettinger, 2017, public domain). */
  readonly next = (): number => {
    this.#a = (this.#a + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#a ^ (this.#a >>> 15), 1 | this.#a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True in `share` of all cases. */
  happens(share: number): boolean {
    return this.next() < share;
  }

  /** One of the items. @throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError('pick: there is nothing to pick from');
    return item;
  }

  /** One of the names, in proportion to its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries.at(-1) as [Name, number])[0];
  }

  /** An independent source for a part, so that what one part draws does not shift what another gets. */
  part(name: string): Chance {
    return new Chance(createHash('sha256').update(`${this.seed}/${name}`).digest().readUInt32LE());
  }
}
