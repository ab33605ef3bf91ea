// The network of a schedule: calm, until an action makes trouble for the next requests or for a while.
import type { Clock } from '@assistant-platform/runtime';
import type { Weather } from '../invariants/weather.ts';
import type { Chance } from '../random.ts';
import type { CallInfo, Mishap, Network } from '../server/network.ts';
import type { Stale } from './actions.ts';

interface Trouble {
  readonly mishap: Mishap;
  readonly matches: (call: CallInfo) => boolean;
  /** Requests that pass before it comes. */
  pass: number;
  left: number;
}

interface Spell {
  readonly ms: number;
  readonly until: number;
}

const NONE: Spell = { ms: 0, until: -Infinity };
/** Written by the way: who dies there dies no other death than a request later. */
const ASIDE = new Set(['leases.coordination.k8s.io', 'events.events.k8s.io']);

export class Storm implements Network {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #troubles: Trouble[] = [];
  readonly #cutOff = new Map<string, number>();
  #slow = NONE;
  #stale = NONE;
  #staleOf: Stale = 'all';
  #replays = 0;
  /** Requests of the operator so far. */
  requests = 0;
  /** Mishaps that came to pass, by kind. */
  readonly happened = new Map<string, number>();

  constructor(clock: Clock, chance: Chance, weather: Weather) {
    this.#clock = clock;
    this.#chance = chance;
    this.#weather = weather;
  }

  /** The next requests meet this. */
  next(mishap: Mishap, times: number, matches: (call: CallInfo) => boolean = () => true): void {
    this.#troubles.push({ mishap, matches, pass: 0, left: times });
  }

  /** The client dies at its write number `writes` from now on, counted from 0. */
  deathAt(writes: number, when: 'Before' | 'After'): void {
    const matches = (call: CallInfo): boolean => call.writes && !ASIDE.has(call.resource);
    this.#troubles.push({ mishap: { kind: 'ClientDies', when }, matches, pass: writes, left: 1 });
  }

  slow(ms: number, forMs: number): void {
    this.#slow = { ms, until: this.#clock.now() + forMs };
  }

  /** News of this resource, or of all, come late for a while. */
  stale(what: Stale, ms: number, forMs: number): void {
    this.#stale = { ms, until: this.#clock.now() + forMs };
    this.#staleOf = what;
    this.#weather.lagMs = Math.max(this.#weather.lagMs, ms);
  }

  replay(events: number): void {
    this.#replays = events;
  }

  /** Nothing of this process gets through for a while. */
  cutOff(client: string, forMs: number): void {
    this.#cutOff.set(client, this.#clock.now() + forMs);
    this.#weather.lagMs = Math.max(this.#weather.lagMs, forMs + 35_000);
  }

  /** Good weather again. */
  calm(): void {
    this.#troubles.length = 0;
    this.#cutOff.clear();
    this.#slow = NONE;
    this.#stale = NONE;
    this.#replays = 0;
  }

  latency(): number {
    const extra = this.#in(this.#slow);
    if (extra > 0) this.#weather.operatorTroubledAt = this.#clock.now() + extra;
    return this.#chance.integer(1, 4) + Math.round(extra * this.#chance.next());
  }

  mishap(call: CallInfo): Mishap | undefined {
    this.requests += 1;
    const mishap = this.#mishap(call);
    if (mishap !== undefined) {
      const name = mishap.kind === 'Refused' ? String(mishap.code) : mishap.kind;
      this.happened.set(name, (this.happened.get(name) ?? 0) + 1);
      // A lost request holds its sender up for up to 30 s.
      const holds = mishap.kind === 'RequestLost' || mishap.kind === 'AnswerLost' ? 30_000 : 0;
      if (call.verb === 'list' || call.verb === 'watch')
        this.#weather.lagMs = Math.max(this.#weather.lagMs, holds + 5000);
      this.#weather.operatorTroubledAt = this.#clock.now() + holds;
    }
    return mishap;
  }

  watchLag({ resource }: CallInfo): number {
    const lag = this.#staleOf === 'all' || this.#staleOf === resource ? this.#in(this.#stale) : 0;
    if (lag > 0) this.#weather.operatorTroubledAt = this.#clock.now();
    return 2 + lag;
  }

  replays(): number {
    return this.#replays;
  }

  #mishap(call: CallInfo): Mishap | undefined {
    if (this.#clock.now() < (this.#cutOff.get(call.client) ?? -Infinity)) return { kind: 'RequestLost' };
    for (const trouble of this.#troubles) {
      if (trouble.left === 0 || !trouble.matches(call)) continue;
      if (trouble.pass > 0) {
        trouble.pass -= 1;
        continue;
      }
      trouble.left -= 1;
      return trouble.mishap;
    }
    return undefined;
  }

  #in({ ms, until }: Spell): number {
    return this.#clock.now() < until ? ms : 0;
  }
}
