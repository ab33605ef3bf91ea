import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateRequests, ensureCertificates } from './certificates.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const now = new Date('2026-11-21T09:00:00Z');
const inputs = {
  nodeName: 'node-a',
  apiServerAddresses: ['198.18.8.2', '198.18.4.1'],
  kubeletAddresses: ['198.18.8.2'],
};
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'certificates-'));
});
afterEach(() => rm(dir, { recursive: true }));

const certificate = async (name: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(join(dir, `${name}.crt`)));

describe('certificates', () => {
  it('are signed by their authority, match their key, and are readable by their owner only', async () => {
    expect(await ensureCertificates(dir, inputs, now)).toBe(true);
    for (const [name, { authority }] of Object.entries(certificateRequests(inputs))) {
      const leaf = await certificate(name);
      expect(leaf.verify((await certificate(authority)).publicKey)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(await readFile(join(dir, `${name}.key`))))).toBe(true);
      expect((await stat(join(dir, `${name}.key`))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it('name the addresses of the API server, and the node as a Kubernetes user and group', async () => {
    await ensureCertificates(dir, inputs, now);
    const server = await certificate('apiserver');
    for (const address of ['127.0.0.1', '198.18.8.2', '198.18.4.1']) expect(server.checkIP(address)).toBe(address);
    expect(server.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
    expect((await certificate('kubelet')).subject).toBe('O=system:nodes\nCN=system:node:node-a');
  });

  it('are kept when nothing changed', async () => {
    await ensureCertificates(dir, inputs, now);
    const before = (await certificate('apiserver')).fingerprint256;
    expect(await ensureCertificates(dir, inputs, new Date(now.getTime() + 300 * DAY_MS))).toBe(false);
    expect((await certificate('apiserver')).fingerprint256).toBe(before);
  });

  it('are renewed before they expire and when an address changes, by the same authority and token key', async () => {
    await ensureCertificates(dir, inputs, now);
    const authority = (await certificate('ca')).fingerprint256;
    const token = await readFile(join(dir, 'service-account.key'), 'utf8');
    const later = new Date(now.getTime() + 320 * DAY_MS);
    expect(await ensureCertificates(dir, inputs, later)).toBe(true);
    expect((await certificate('apiserver')).validToDate.getTime()).toBeGreaterThan(later.getTime() + 360 * DAY_MS);
    expect(await ensureCertificates(dir, { ...inputs, apiServerAddresses: ['198.18.24.2'] }, later)).toBe(true);
    expect((await certificate('apiserver')).checkIP('198.18.24.2')).toBe('198.18.24.2');
    expect((await certificate('ca')).fingerprint256).toBe(authority);
    expect(await readFile(join(dir, 'service-account.key'), 'utf8')).toBe(token);
  });

  it('are made anew when a run was killed before the record was written', async () => {
    await ensureCertificates(dir, inputs, now);
    await rm(join(dir, 'inputs.json'));
    expect(await ensureCertificates(dir, inputs, now)).toBe(true);
    expect((await certificate('apiserver')).verify((await certificate('ca')).publicKey)).toBe(true);
  });
});
