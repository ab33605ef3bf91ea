// Every key and certificate of an instance: made once, kept in its state folder, renewed before they expire or when an address changes.
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, createSigningKeys, issue, timeToExpiry } from './authority.ts';
import type { KeyAndCertificate, LeafRequest } from './authority.ts';
import { readJson, writeAtomically } from './state-file.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LEAF_DAYS = 365;
const AUTHORITY_DAYS = 3650;
/** Renew what has less than this left: an instance is seldom left running for longer. */
const RENEW_BEFORE_MS = 60 * DAY_MS;

/** What the certificates must say. */
export interface CertificateInputs {
  /** DNS-1123 name of the node; becomes the user `system:node:<name>`. */
  readonly nodeName: string;
  /** Addresses at which clients reach the API server. */
  readonly apiServerAddresses: readonly string[];
  /** Addresses at which the API server reaches the kubelet. */
  readonly kubeletAddresses: readonly string[];
}

const AUTHORITIES = { ca: 'kubernetes-ca', 'front-proxy-ca': 'front-proxy-ca', 'etcd-ca': 'etcd-ca' } as const;
type Authority = keyof typeof AUTHORITIES;

/** The certificates to issue: file name, authority and content. Pure. */
export function certificateRequests(
  inputs: CertificateInputs,
): Readonly<Record<string, LeafRequest & { readonly authority: Authority }>> {
  const client = (commonName: string, organization?: string) => ({
    authority: 'ca' as const,
    use: 'client' as const,
    commonName,
    ...(organization === undefined ? {} : { organization }),
  });
  return {
    apiserver: {
      authority: 'ca',
      use: 'server',
      commonName: 'kube-apiserver',
      dnsNames: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'localhost',
      ],
      ipAddresses: ['127.0.0.1', ...inputs.apiServerAddresses.filter((address) => address !== '127.0.0.1')],
    },
    'apiserver-kubelet-client': client('kube-apiserver-kubelet-client', 'system:masters'),
    'apiserver-etcd-client': { authority: 'etcd-ca', use: 'client', commonName: 'kube-apiserver-etcd-client' },
    etcd: {
      authority: 'etcd-ca',
      use: 'both',
      commonName: 'etcd',
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    },
    // Serves the health pages of controller-manager and scheduler, on loopback only.
    loopback: {
      authority: 'ca',
      use: 'server',
      commonName: 'loopback',
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    },
    'front-proxy-client': { authority: 'front-proxy-ca', use: 'client', commonName: 'front-proxy-client' },
    admin: client('kubernetes-admin', 'system:masters'),
    'controller-manager': client('system:kube-controller-manager'),
    scheduler: client('system:kube-scheduler'),
    'kube-proxy': client('system:kube-proxy'),
    kubelet: client(`system:node:${inputs.nodeName}`, 'system:nodes'),
    'kubelet-serving': {
      authority: 'ca',
      use: 'server',
      commonName: `system:node:${inputs.nodeName}`,
      organization: 'system:nodes',
      dnsNames: [inputs.nodeName],
      ipAddresses: ['127.0.0.1', ...inputs.kubeletAddresses.filter((address) => address !== '127.0.0.1')],
    },
  };
}

/**
 * Makes or renews `<name>.key` and `<name>.crt` for every certificate, and `service-account.key`/`.pub`, in the folder.
 * Complete or absent: the record `inputs.json` is written last, so a run that was killed half-way starts anew.
 *
 * @returns true when anything was made, false when all was there and good.
 */
export async function ensureCertificates(dir: string, inputs: CertificateInputs, now: Date): Promise<boolean> {
  const record = createHash('sha256')
    .update(JSON.stringify(certificateRequests(inputs)))
    .digest('hex');
  const before = await readJson<{ record: string }>(join(dir, 'inputs.json'));
  if (before?.record === record && (await longLived(dir, now))) return false;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  // An hour back: a clock that is set a little back after the start must not make the certificates invalid.
  const from = new Date(now.getTime() - 60 * 60 * 1000);
  const authorities = new Map<Authority, KeyAndCertificate>();
  for (const [name, commonName] of Object.entries(AUTHORITIES) as [Authority, string][]) {
    const kept = before === undefined ? undefined : await readPair(dir, name);
    const good = kept !== undefined && timeToExpiry(kept.certificate, now) > LEAF_DAYS * DAY_MS;
    const pair = good ? kept : await createAuthority(commonName, from, AUTHORITY_DAYS);
    if (!good) await writePair(dir, name, pair);
    authorities.set(name, pair);
  }
  for (const [name, request] of Object.entries(certificateRequests(inputs))) {
    const authority = authorities.get(request.authority);
    if (authority === undefined) throw new Error(`certificates: no authority ${request.authority} for ${name}`);
    await writePair(dir, name, await issue(authority, request, from, LEAF_DAYS));
  }
  if (before === undefined) {
    // Tokens signed by an older key would no longer be accepted, so this pair is never renewed.
    const signing = await createSigningKeys();
    await writeAtomically(join(dir, 'service-account.key'), signing.privateKey, 0o600);
    await writeAtomically(join(dir, 'service-account.pub'), signing.publicKey, 0o600);
  }
  await writeAtomically(join(dir, 'inputs.json'), JSON.stringify({ record }), 0o600);
  return true;
}

async function longLived(dir: string, now: Date): Promise<boolean> {
  for (const name of Object.keys(certificateRequests({ nodeName: '', apiServerAddresses: [], kubeletAddresses: [] }))) {
    const pair = await readPair(dir, name);
    if (pair === undefined || timeToExpiry(pair.certificate, now) < RENEW_BEFORE_MS) return false;
  }
  return true;
}

async function readPair(dir: string, name: string): Promise<KeyAndCertificate | undefined> {
  try {
    return {
      key: await readFile(join(dir, `${name}.key`), 'utf8'),
      certificate: await readFile(join(dir, `${name}.crt`), 'utf8'),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writePair(dir: string, name: string, pair: KeyAndCertificate): Promise<void> {
  await writeAtomically(join(dir, `${name}.key`), pair.key, 0o600);
  await writeAtomically(join(dir, `${name}.crt`), pair.certificate, 0o600);
}
