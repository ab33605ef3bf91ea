/** Lets a fixed number of works run at a time; the others wait, and the one with the lowest rank goes next. */
export class Slots {
  #free: number;
  readonly #waiting: { readonly rank: number; readonly go: () => void }[] = [];

  /** @param size how many works may run at a time; at least 1. */
  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`Slots need a whole number of 1 or more, not ${size}.`);
    this.#free = size;
  }

  /**
   * Runs `work` as soon as there is a free slot and nobody of lower rank waits.
   * @throws whatever `work` throws; its slot is free again then.
   */
  async run<T>(rank: number, work: () => Promise<T>): Promise<T> {
    await this.#take(rank);
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  #take(rank: number): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const place = this.#waiting.findIndex((other) => other.rank > rank);
      this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, { rank, go: resolve });
    });
  }

  /** Hands the slot to the next in line, so that nobody who comes now gets in between. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.go();
  }
}
