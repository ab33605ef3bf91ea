// An instance: one embedded cluster, named by the folder that holds its state. This file knows its name and its files.
import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';

/** Which parts of Kubernetes an instance runs. */
export type Tier = 'control-plane' | 'node';

/** Environment variable that every process of an instance carries, so that its remains can be found. */
export const INSTANCE_VARIABLE = 'ASSISTANT_PLATFORM_CLUSTER_ID';

/** Where the state folder of an instance with a node appears inside its own mount namespace: short, for socket paths. */
export const INSIDE = '/run/instance';

/** The names of an instance, all derived from its state folder. */
export interface Instance {
  /** DNS-1123 label, unique to the folder: `<folder>-<8 hex digits>`. Also kubeconfig context and node name. */
  readonly id: string;
  /** The 8 hex digits: short enough for the names of network devices. */
  readonly short: string;
  /** Absolute path of the state folder. */
  readonly stateDir: string;
  /** The machine's end of the link (at most 15 characters, as Linux demands). */
  readonly hostLink: string;
  /** The instance's own nftables table on the machine (only with egress). */
  readonly nftTable: string;
  /** cgroup below which all pods of the instance run. */
  readonly cgroup: string;
}

/** The instance whose state lives in the folder. */
export function instanceOf(stateDir: string): Instance {
  const path = resolve(stateDir);
  const short = createHash('sha256').update(path).digest('hex').slice(0, 8);
  const label = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return {
    id: label === '' ? `cluster-${short}` : `${label}-${short}`,
    short,
    stateDir: path,
    hostLink: `ap-${short}`,
    nftTable: `assistant_platform_${short}`,
    cgroup: `/assistant-platform/${short}`,
  };
}

/** The files of an instance below a root (the state folder, or {@link INSIDE} within its mount namespace). */
export interface InstanceFiles {
  readonly root: string;
  readonly kubeconfig: string;
  readonly certificates: string;
  readonly configuration: string;
  readonly logs: string;
  readonly data: string;
  readonly volumes: string;
  /** What the supervisor is to run; written by the launcher. */
  readonly specification: string;
  /** What the supervisor last saw; written by the supervisor. */
  readonly status: string;
  /** One readable line for every crash and restart of a component. */
  readonly events: string;
}

/** The files of an instance below `root`. */
export function filesOf(root: string): InstanceFiles {
  return {
    root,
    kubeconfig: join(root, 'kubeconfig'),
    certificates: join(root, 'certificates'),
    configuration: join(root, 'configuration'),
    logs: join(root, 'logs'),
    data: join(root, 'data'),
    volumes: join(root, 'volumes'),
    specification: join(root, 'cluster.json'),
    status: join(root, 'status.json'),
    events: join(root, 'events.log'),
  };
}
