// A binary heap whose order is a parameter: the queue needs one by priority and one by time.

/** Removes its elements in the order of `before`. Push and pop cost O(log n). */
export class Heap<T> {
  readonly #elements: T[] = [];
  readonly #before: (left: T, right: T) => boolean;

  constructor(before: (left: T, right: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#elements.length;
  }

  peek(): T | undefined {
    return this.#elements[0];
  }

  push(element: T): void {
    let at = this.#elements.length;
    this.#elements.push(element);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#elements[parent] as T;
      if (!this.#before(element, above)) break;
      this.#elements[at] = above;
      at = parent;
    }
    this.#elements[at] = element;
  }

  /** Drops the elements that fail the test. O(n log n). */
  retain(test: (element: T) => boolean): void {
    const kept = this.#elements.filter(test);
    this.#elements.length = 0;
    for (const element of kept) this.push(element);
  }

  pop(): T | undefined {
    const first = this.#elements[0];
    const last = this.#elements.pop();
    if (last === undefined || this.#elements.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#elements.length) break;
      const right = child + 1;
      if (right < this.#elements.length && this.#before(this.#elements[right] as T, this.#elements[child] as T))
        child = right;
      const below = this.#elements[child] as T;
      if (!this.#before(below, last)) break;
      this.#elements[at] = below;
      at = child;
    }
    this.#elements[at] = last;
    return first;
  }
}
