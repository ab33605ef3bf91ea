// The table of rights in the README is true: each command does its work with what it needs and nothing else.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GROUP, LABELS } from '@assistant-platform/api';
import { ApiClient, connectionFromEnvironment } from '@assistant-platform/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restrictedKubeconfig, type Rule } from '../../test/cluster/service-account.ts';
import { at, command, create, folder, kubeconfig, namespace, ownNamespaces, place } from './testing/cluster.ts';
import { visible } from './completion.ts';
import { makeProgram } from './program.ts';

ownNamespaces();

const spans = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** `get patch assistantdeployments`: verbs, and the resource with its group. */
function ruleOf(text: string): Rule {
  const words = text.split(' ');
  const [resource = '', ...group] = (words.pop() ?? '').split('.');
  return {
    apiGroups: [resource === 'assistantdeployments' ? GROUP : group.join('.')],
    resources: [resource],
    verbs: words,
  };
}

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const [, table = ''] = /^## Rights$([\s\S]*?)^## /m.exec(readme) ?? [];
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, commands, needs]) => ({
    commands: spans(commands),
    rules: spans(needs)
      .filter((span) => span.includes(' '))
      .map(ruleOf),
  }));

/** A line for each, on an assistant in a moment where the command means something. */
const LINES: Readonly<Record<string, readonly [scene: string, ...line: string[]]>> = {
  status: ['healthy', 'status', 'NAME', '--timeout', '5s'],
  why: ['canary-paused', 'why', 'NAME'],
  history: ['healthy', 'history', 'NAME'],
  sockets: ['healthy', 'sockets', 'NAME'],
  promote: ['canary-paused', 'promote', 'NAME'],
  abort: ['canary-paused', 'abort', 'NAME', '--reason', 'a test'],
  retry: ['aborted', 'retry', 'NAME'],
  pause: ['healthy', 'pause', 'NAME'],
  resume: ['paused-by-spec', 'resume', 'NAME'],
  restart: ['healthy', 'restart', 'NAME'],
  undo: ['canary-paused', 'undo', 'NAME', '--dry-run'],
  plan: ['healthy', 'plan', '-f', 'FILE'],
  bundle: ['healthy', 'bundle', 'NAME'],
};
/** Needs a pod that runs; `lint` and `completion` ask no cluster. */
const ELSEWHERE = ['profile', 'lint', 'completion'];

const manifestOf = (name: string): string => `
apiVersion: assistant-platform.io/v1alpha1
kind: AssistantDeployment
metadata: { name: ${name} }
spec:
  components: { chat: { image: localhost/assistant/chat:1.0.0 } }
  gateway: { parentRef: { name: public } }
  strategy: { type: BlueGreen, blueGreen: {} }
`;

let api: ApiClient;
beforeAll(async () => {
  api = new ApiClient({ connection: await connectionFromEnvironment({ kubeconfig }), fieldManager: 'test' });
});
afterAll(() => api.close());

test('every command is in the table', () => {
  const named = rows.flatMap(({ commands }) => commands);
  expect([...named, 'lint', 'completion'].sort()).toEqual(
    visible(makeProgram())
      .map((each) => each.name())
      .sort(),
  );
  expect([...Object.keys(LINES), ...ELSEWHERE].sort()).toEqual([...named, 'lint', 'completion'].sort());
});

describe.each(rows.filter(({ commands }) => !ELSEWHERE.includes(commands[0] ?? '')))(
  'with its rights',
  ({ commands, rules }) => {
    test.each(commands)('%s works', async (verb) => {
      const name = `rights-${verb}`;
      const [scene = '', ...line] = LINES[verb] ?? [];
      await place(name, scene);
      await create({
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: { name: `${name}-6c9f7d`, labels: { [LABELS.name]: name, [LABELS.revision]: '6c9f7d' } },
        revision: 1,
        data: {
          hash: '6c9f7d',
          release: '1.0.0',
          components: {},
          references: {},
          source: { release: '1.0.0', components: { chat: { image: 'localhost/assistant/chat:1.0.0' } } },
        },
      });
      const file = join(folder.path, `${verb}.kubeconfig`);
      await restrictedKubeconfig(api, kubeconfig, { namespace, name: verb, rules, file });
      const manifest = join(folder.path, 'manifest.yaml');
      await writeFile(manifest, [name, `${name}-new`].map(manifestOf).join('---\n'));
      const out = verb === 'bundle' ? ['--out', join(folder.path, 'a.tar.gz')] : [];
      const words = line.map((word) => ({ NAME: name, FILE: manifest })[word] ?? word);
      const ran = await command([...words, ...out, ...at], { kubeconfig: file });
      expect(ran, ran.err).toMatchObject({ code: 0 });
      // Where it may not ask, it would go on without the API server.
      if (verb === 'plan') expect(ran.out.match(/the API server would take it/g)).toHaveLength(2);
    });
  },
);
