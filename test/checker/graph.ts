// The graph of what was visited: numbers only, so that millions of edges are cheap. What a state leads to by itself is judged on it.

/** A list of whole numbers that grows. */
class Numbers {
  #data = new Int32Array(1 << 14);
  length = 0;

  push(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new Int32Array(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.#data[index] ?? -1;
  }
}

/** Who an edge belongs to; others (people, faults) are not kept. */
export const EDGE = { operator: 0, environment: 1, time: 2 } as const;
export type EdgeKind = (typeof EDGE)[keyof typeof EDGE];

export class Graph {
  readonly #from = new Numbers();
  readonly #to = new Numbers();
  readonly #kind = new Numbers();

  get edges(): number {
    return this.#from.length;
  }

  add(from: number, to: number, kind: EdgeKind): void {
    this.#from.push(from);
    this.#to.push(to);
    this.#kind.push(kind);
  }

  /** Successors (or predecessors) of each state, over edges of some kinds. */
  #neighbours(states: number, backward: boolean, kinds: readonly EdgeKind[]): { start: Int32Array; list: Int32Array } {
    const [source, target] = backward ? [this.#to, this.#from] : [this.#from, this.#to];
    const counts = new Int32Array(states + 1);
    const counted = (edge: number): boolean => kinds.includes(this.#kind.at(edge) as EdgeKind);
    for (let edge = 0; edge < this.edges; edge++) if (counted(edge)) bump(counts, source.at(edge) + 1);
    for (let state = 0; state < states; state++) counts[state + 1] = (counts[state + 1] ?? 0) + (counts[state] ?? 0);
    const fill = counts.slice();
    const list = new Int32Array(counts[states] ?? 0);
    for (let edge = 0; edge < this.edges; edge++)
      if (counted(edge)) {
        const state = source.at(edge);
        list[fill[state] ?? 0] = target.at(edge);
        bump(fill, state);
      }
    return { start: counts, list };
  }

  /** States from which the operator, the environment and time alone cannot lead to one of `ends`. */
  lost(states: number, ends: readonly number[]): number[] {
    const { start, list } = this.#neighbours(states, true, [EDGE.operator, EDGE.environment, EDGE.time]);
    const reached = new Uint8Array(states);
    const open = [...ends];
    for (const end of ends) reached[end] = 1;
    for (let state = open.pop(); state !== undefined; state = open.pop())
      for (let index = start[state] ?? 0; index < (start[state + 1] ?? 0); index++) {
        const before = list[index] ?? 0;
        if (reached[before] === 1) continue;
        reached[before] = 1;
        open.push(before);
      }
    return [...reached.keys()].filter((state) => reached[state] === 0);
  }

  /** States whose own writes, or these and the clock alone, lead back to them: the operator would write for ever. */
  endless(states: number): number[] {
    const { start, list } = this.#neighbours(states, false, [EDGE.operator, EDGE.time]);
    const component = components(states, start, list);
    const found = new Set<number>();
    for (let edge = 0; edge < this.edges; edge++) {
      const [from, to] = [this.#from.at(edge), this.#to.at(edge)];
      if (this.#kind.at(edge) === EDGE.operator && component[from] === component[to]) found.add(from);
    }
    return [...found].sort((a, b) => a - b);
  }
}

function bump(counts: Int32Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

/** Strongly connected components (Tarjan 1972), without recursion: the number of the component of each state. */
function components(states: number, start: Int32Array, list: Int32Array): Int32Array {
  const order = new Int32Array(states).fill(-1);
  const low = new Int32Array(states);
  const component = new Int32Array(states).fill(-1);
  const next = start.slice(0, states);
  const open: number[] = [];
  let seen = 0;
  let count = 0;
  const enter = (state: number, path: number[]): void => {
    order[state] = seen;
    low[state] = seen;
    seen += 1;
    open.push(state);
    path.push(state);
  };
  for (let root = 0; root < states; root++) {
    if (order[root] !== -1) continue;
    const path: number[] = [];
    enter(root, path);
    for (let state = path.at(-1); state !== undefined; state = path.at(-1)) {
      const index = next[state] ?? 0;
      if (index < (start[state + 1] ?? 0)) {
        bump(next, state);
        const to = list[index] ?? 0;
        if (order[to] === -1) enter(to, path);
        else if (component[to] === -1) low[state] = Math.min(low[state] ?? 0, order[to] ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[state] ?? 0);
      if (low[state] !== order[state]) continue;
      for (let each = open.pop(); each !== undefined; each = open.pop()) {
        component[each] = count;
        if (each === state) break;
      }
      count += 1;
    }
  }
  return component;
}
