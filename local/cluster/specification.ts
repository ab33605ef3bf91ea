// What the supervisor is asked to run: the content of `cluster.json`, written by the launcher. Data only, no code.
import type { AddressPlan } from './addresses.ts';
import type { Tier } from './instance.ts';

/** How to find out that a component does its work. */
export type Probe =
  /** Answers 200; the server certificate is checked against the authority in the file. */
  | { readonly kind: 'https'; readonly url: string; readonly authorityFile: string }
  | { readonly kind: 'http'; readonly url: string }
  /** Mutual TLS, as etcd demands it. */
  | {
      readonly kind: 'mutual-tls';
      readonly url: string;
      readonly authorityFile: string;
      readonly certificateFile: string;
      readonly keyFile: string;
    }
  /** The command ends with 0. */
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  /** Running is enough. */
  | { readonly kind: 'none' };

/** One process that the supervisor keeps running. */
export interface Component {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Starts when these are ready. */
  readonly after: readonly string[];
  readonly ready: Probe;
  /** Components of a lower group are stopped, and have ended, before those of a higher one. */
  readonly stopGroup: number;
}

/** What only an instance with a node has. */
export interface NodeSpecification {
  readonly plan: AddressPlan;
  /** cgroup below which the pods run, e.g. `/assistant-platform/1a2b3c4d`. */
  readonly cgroup: string;
  readonly egress: boolean;
}

/** The content of `cluster.json`. */
export interface Specification {
  readonly id: string;
  readonly tier: Tier;
  /** The state folder as the supervisor sees it. */
  readonly root: string;
  /** The state folder as people see it: for what is said to them. */
  readonly stateDir: string;
  readonly components: readonly Component[];
  readonly node?: NodeSpecification;
  /** Stop when the launcher's process ends (its end of the supervisor's standard input closes). */
  readonly tied: boolean;
}
