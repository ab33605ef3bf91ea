// What the real API server takes and refuses, and what it tells the person who wrote it.
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinary } from '@assistant-platform/local/toolchain';
import { ApiException, CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { AssistantDeployment } from './assistant-deployment.ts';
import { withDefaults } from './defaults.ts';
import { ASSISTANT_DEPLOYMENT, GROUP, VERSION } from './group.ts';
import { canaryObject, changed, smallestObject, type Loose } from './specimens/base.ts';
import { invalidSpecimens } from './specimens/invalid.ts';
import { validSpecimens } from './specimens/valid.ts';
import { summarize } from './summary.ts';

const run = promisify(execFile);
const config = new KubeConfig();
config.loadFromFile(inject('kubeconfig'));
const objects = config.makeApiClient(CustomObjectsApi);
const namespace = `api-${randomUUID().slice(0, 8)}`;
let cacheDir = '';
const resource = { group: GROUP, version: VERSION, plural: ASSISTANT_DEPLOYMENT.plural, namespace };

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'kubectl-cache-'));
  await kubectl('create', 'namespace', namespace);
});
afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, '--wait=false');
  await rm(cacheDir, { recursive: true });
});

async function create(body: Loose, dryRun = true): Promise<AssistantDeployment> {
  const strict = { fieldManager: 'table-test', fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) };
  return (await objects.createNamespacedCustomObject({ ...resource, ...strict, body })) as AssistantDeployment;
}

async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(await ensureBinary('kubectl'), [
    '--kubeconfig',
    inject('kubeconfig'),
    // Discovery is cached by address, and another control plane may have had this port.
    '--cache-dir',
    cacheDir,
    '-n',
    namespace,
    ...args,
  ]);
  return stdout;
}

/** The causes in an answer that refuses: field and message, one line each. */
async function refusal(body: Loose): Promise<string[]> {
  try {
    await create(body);
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    const status = JSON.parse(String(error.body)) as {
      message: string;
      details?: { causes?: { field: string; message: string }[] };
    };
    const causes = status.details?.causes ?? [];
    // Shape is reported as components.chat, a rule as components[chat]: one spelling for the comparison.
    const lines = causes.length > 0 ? causes.map(({ field, message }) => `${field}: ${message}`) : [status.message];
    return lines.map((line) => line.replaceAll(/\[([a-z][-a-z0-9]*)\]/g, '.$1'));
  }
  return [];
}

describe('refused', () => {
  test.each(invalidSpecimens)('$title', async ({ object, field, remedy }) => {
    const lines = await refusal(object);
    expect(lines, 'it was accepted').not.toHaveLength(0);
    const named = lines.filter((line) => (field === '' ? true : line.includes(field)));
    expect(named, lines.join('\n')).not.toHaveLength(0);
    expect(named.join('\n')).toMatch(remedy);
  });

  test('the table has at least 90 different mistakes', () => {
    expect(new Set(invalidSpecimens.map(({ object }) => JSON.stringify(object))).size).toBeGreaterThanOrEqual(90);
  });
});

describe('accepted', () => {
  test.each(validSpecimens)('$title', async ({ object }) => {
    const stored = await create(object);
    // What the API server stores, with its share of the defaults, reads the same as what was written.
    expect(withDefaults(stored.spec)).toEqual(withDefaults((object as unknown as AssistantDeployment).spec));
  });

  test('a template keeps what the schema does not know', async () => {
    const template = { spec: { priorityClassName: 'high', containers: [{ name: 'chat', stdin: true }] } };
    const stored = await create(changed(smallestObject(), ['spec.components.chat.template', template]));
    expect(stored.spec.components.chat?.template).toEqual(template);
  });
});

describe('in the hands of kubectl', () => {
  test.each([
    ['ad.spec.strategy.canary.steps.analysis.interval', /Time between two looks/],
    ['ad.spec.components', /released in lockstep/],
    ['ad.spec.components.autoscaling.metrics.targetPerPod', /How much of it one pod should carry/],
    ['ad.spec.metrics.comparedTo.stable.maxRatio', /Largest good ratio/],
    ['ad.status.blockedBy', /What it waits for/],
  ])('explain %s', async (path, words) => {
    expect(await kubectl('explain', path)).toMatch(words);
  });

  test('every field has a description', async () => {
    const text = await kubectl('explain', 'ad', '--recursive');
    expect(text).toMatch(/scaleDownDelay/);
    expect(await kubectl('explain', 'ad.spec')).not.toMatch(/<no description>/);
  });

  test('columns, short name, category, status and scale', async () => {
    await create(changed(canaryObject(), ['metadata.name', 'columns']), false);
    const status: NonNullable<AssistantDeployment['status']> = {
      observedGeneration: 1,
      phase: 'Progressing',
      message: 'holding at 10 %',
      stableRevision: { hash: '6c9f7d', release: '1.0.0' },
      updateRevision: { hash: '8d1b2a', release: '1.1.0' },
      step: { index: 2, count: 7, stepsHash: 'ab12', startedAt: '2026-01-01T00:00:00Z' },
      weight: { requested: 10, routed: 10, observed: 9.6 },
      components: {
        chat: { stable: { replicas: 2, ready: 2, sockets: 0 }, update: { replicas: 1, ready: 1, sockets: 0 } },
        realtime: { stable: { replicas: 2, ready: 2, sockets: 812 }, update: { replicas: 1, ready: 0, sockets: 77 } },
      },
      draining: [
        {
          hash: '51aa0e',
          component: 'realtime',
          sockets: 12,
          busy: 1,
          startedAt: '2026-01-01T00:00:00Z',
          deadline: '2026-01-01T00:10:00Z',
          forced: false,
        },
      ],
      flags: [{ feature: 'new-memory', rollout: 10, state: 'InSync' }],
      replicas: 2,
      selector: 'assistant-platform.io/name=columns',
    };
    await objects.patchNamespacedCustomObjectStatus(
      { ...resource, name: 'columns', body: { status: { ...status, summary: summarize(status) } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    const [header, row] = (await kubectl('get', 'ad', 'columns', '-o', 'wide')).split('\n');
    expect(header?.split(/\s+/)).toEqual(
      'NAME PHASE STRATEGY STEP WEIGHT READY CONNS RELEASE AGE FLAG CHAOS MESSAGE'.split(' '),
    );
    expect(row).toMatch(
      /^columns\s+Progressing\s+Canary\s+2\/7\s+10%\s+5\/6\s+901\s+1\.1\.0\s+\S+\s+new-memory=10%\s+holding at 10 %/,
    );
    expect(await kubectl('get', 'all')).toContain('assistantdeployment.assistant-platform.io/columns');

    await kubectl('scale', 'ad/columns', '--replicas=5');
    const scaled = (await objects.getNamespacedCustomObject({ ...resource, name: 'columns' })) as AssistantDeployment;
    expect(scaled.spec.components.realtime?.replicas).toBe(5);
    expect(scaled.status?.phase).toBe('Progressing');
  });

  test('scale is refused where realtime is autoscaled, and says what to write instead', async () => {
    const autoscaling = { max: 3, metrics: [{ type: 'Connections', targetPerPod: 100 }] };
    await create(
      changed(
        canaryObject(),
        ['metadata.name', 'autoscaled'],
        ['spec.components.realtime.replicas', undefined],
        ['spec.components.realtime.autoscaling', autoscaling],
      ),
      false,
    );
    await expect(kubectl('scale', 'ad/autoscaled', '--replicas=5')).rejects.toThrow(
      /remove replicas and write the bounds in autoscaling/,
    );
  });

  test('scale writes replicas where there were none, and is refused where there is no realtime', async () => {
    await create(
      changed(canaryObject(), ['metadata.name', 'unsized'], ['spec.components.realtime.replicas', undefined]),
      false,
    );
    await kubectl('scale', 'ad/unsized', '--replicas=3');
    const scaled = (await objects.getNamespacedCustomObject({ ...resource, name: 'unsized' })) as AssistantDeployment;
    expect(scaled.spec.components.realtime?.replicas).toBe(3);

    await create(changed(smallestObject(), ['metadata.name', 'chat-only']), false);
    await expect(kubectl('scale', 'ad/chat-only', '--replicas=3')).rejects.toThrow(/components.*realtime/);
  });
});
