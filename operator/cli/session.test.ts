// Which cluster and namespace the kubeconfigs say, as kubectl reads them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSession, type SessionOptions } from './session.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-'));
});
afterAll(() => rm(folder, { recursive: true }));

const NAMES = { cluster: 'kubernetes', user: 'admin' };

/** A kubeconfig with one context of the given name, whose cluster and user have the names that every second cluster gives them. */
async function kubeconfig(name: string, { current = name, cluster = NAMES.cluster, namespace = '' } = {}) {
  const path = join(folder, name);
  const content = {
    clusters: [{ name: NAMES.cluster, cluster: { server: `https://${name}` } }],
    users: [{ name: NAMES.user, user: { token: name } }],
    contexts: [{ name, context: { cluster, user: NAMES.user, namespace } }],
    'current-context': current,
  };
  await writeFile(path, JSON.stringify(content));
  return path;
}

const open = (files: readonly string[], flags: Omit<SessionOptions, 'env'> = {}) =>
  openSession({ ...flags, env: { KUBECONFIG: files.join(delimiter), HOME: folder } });

describe('several files in KUBECONFIG', () => {
  test('of clusters and users with the same name the first one counts', async () => {
    const files = [await kubeconfig('one'), await kubeconfig('two')];
    expect(open(files)).toMatchObject({ server: 'https://one', context: 'one' });
    expect(open(files, { context: 'two' })).toMatchObject({ server: 'https://one', context: 'two' });
    expect(open(files).config.getCurrentUser()).toMatchObject({ token: 'one' });
  });

  test('the first that names a current context says which', async () => {
    expect(open([await kubeconfig('none', { current: '' }), await kubeconfig('some')]).context).toBe('some');
  });

  test('an empty one is none', async () => {
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    expect(open([empty, await kubeconfig('after')]).context).toBe('after');
    expect(() => open([empty])).toThrow('names no current context');
  });
});

test('an empty namespace in it is none', async () => {
  expect(open([await kubeconfig('spaceless')]).namespace).toBe('default');
  expect(open([await kubeconfig('spaced', { namespace: 'assistants' })], { namespace: '' }).namespace).toBe(
    'assistants',
  );
});

test('a context of a cluster that is not there says so', async () => {
  const path = await kubeconfig('lost', { cluster: 'elsewhere' });
  expect(() => open([path])).toThrow('context lost speaks of the cluster "elsewhere"');
});
