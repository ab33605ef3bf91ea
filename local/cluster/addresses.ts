// Which addresses an instance of the embedded cluster uses. Pure: an index in, every address out.
//
// All networks lie in 198.18.0.0/15 (RFC 2544, benchmarking: never routed on the Internet), one /20 an instance:
//
//   base + 0     /22   pods
//   base + 1024  /22   Services (ClusterIPs)
//   base + 2048  /30   link between the machine (.1) and the node (.2)

/** The range that holds every network of every instance; a blackhole route for it keeps packets on the machine. */
export const TEST_RANGE = '198.18.0.0/15';

/** How many instances with a node fit: 32 networks of 4096 addresses. */
export const MAX_INSTANCES = 32;

const RANGE_START = ipToNumber('198.18.0.0');
const INSTANCE_SIZE = 4096;

/** The networks and fixed addresses of one instance; CIDRs are written `a.b.c.d/n`. */
export interface AddressPlan {
  /** 0 to 31; unique among the running instances of a machine. */
  readonly index: number;
  /** The whole /20 of the instance. */
  readonly range: string;
  readonly pods: string;
  readonly services: string;
  readonly link: string;
  /** The machine's end of the link. */
  readonly host: string;
  /** The node's end of the link: the address of the API server and of every NodePort. */
  readonly node: string;
  /** ClusterIP of the Service `kubernetes` (the first address of the Service network). */
  readonly kubernetesService: string;
  /** ClusterIP of the Service `kube-dns`. */
  readonly dnsService: string;
}

/**
 * The address plan of the instance with the given index.
 *
 * @throws RangeError when the index is not an integer from 0 to 31.
 */
export function addressPlan(index: number): AddressPlan {
  if (!Number.isInteger(index) || index < 0 || index >= MAX_INSTANCES) {
    throw new RangeError(`addressPlan: index is ${index}; it must be an integer from 0 to ${MAX_INSTANCES - 1}`);
  }
  const base = RANGE_START + index * INSTANCE_SIZE;
  const at = (offset: number): string => numberToIp(base + offset);
  return {
    index,
    range: `${at(0)}/20`,
    pods: `${at(0)}/22`,
    services: `${at(1024)}/22`,
    link: `${at(2048)}/30`,
    host: at(2049),
    node: at(2050),
    kubernetesService: at(1025),
    dnsService: at(1034),
  };
}

/**
 * The index for a new instance: the lowest that no instance runs with or has kept data of; when all are kept by somebody, the
 * lowest that nobody runs with.
 *
 * @throws Error when 32 instances run.
 */
export function freeIndex(running: ReadonlySet<number>, kept: ReadonlySet<number>): number {
  for (const avoided of [new Set([...running, ...kept]), running]) {
    for (let index = 0; index < MAX_INSTANCES; index++) if (!avoided.has(index)) return index;
  }
  throw new Error(
    `All ${MAX_INSTANCES} networks of ${TEST_RANGE} are in use by other embedded clusters on this machine. ` +
      'Stop one of them (npm run stop in its folder).',
  );
}

/** The prefix length of a CIDR, e.g. 22 for `198.18.0.0/22`. */
export function prefixLength(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** Is the IPv4 address inside the CIDR? */
export function contains(cidr: string, address: string): boolean {
  const size = 2 ** (32 - prefixLength(cidr));
  const start = ipToNumber(cidr.slice(0, cidr.indexOf('/')));
  const value = ipToNumber(address);
  return value >= start && value < start + size;
}

function ipToNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function numberToIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
