// A few of the generated objects of `npm run objects` on the real API server.
import { ApiClient, connectionFromEnvironment, namespaces } from '@assistant-platform/runtime';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CampaignResult, runCampaign } from './campaign.ts';
import type { Bench } from './judge.ts';

const SEED = 20_261_126;
const namespace = `objects-${process.pid}`;
let api: ApiClient;
let bench: Bench;
let result: CampaignResult;

beforeAll(async () => {
  api = new ApiClient({
    connection: await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') }),
    fieldManager: 'objects',
  });
  await api.create(namespaces, { metadata: { name: namespace } });
  bench = { api, namespace, requests: 0 };
  result = await runCampaign(bench, { seed: SEED, count: 300, parallel: 8, appliesEach: 10, tell: () => undefined });
});
afterAll(async () => {
  await api.delete(namespaces, { name: namespace });
  api.close();
});

describe('generated objects', () => {
  it('300 valid ones are taken, read back alike, installed and at rest; 300 with a mistake are refused by its field', () => {
    expect(result.failures).toEqual([]);
    expect(result.accepted).toBe(300);
    expect(result.sites.made).toBe(300);
  });
});
