import { describe, expect, test } from 'vitest';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifests, readManifests } from './manifests.ts';

const TEXT = `# a comment
apiVersion: v1
kind: ConfigMap
metadata: { name: other }
---
apiVersion: assistant-platform.io/v1alpha1
kind: AssistantDeployment
metadata:
  name: first
spec:
  strategy:
    canary:
      steps:
        - setWeight: 10
        - pause: {}
---
kind: List
items:
  - kind: AssistantDeployment
    metadata: { name: second }
    spec: {}
`;

describe('documents', () => {
  const { manifests, problems, others } = parseManifests('a.yaml', TEXT);

  test('of our kind are found, also in a List; others are counted', () => {
    const name = ({ object }: (typeof manifests)[number]) => (object as { metadata: { name: string } }).metadata.name;
    expect(manifests.map(name)).toEqual(['first', 'second']);
    expect({ problems, others }).toEqual({ problems: [], others: 1 });
  });

  test.each([
    [['kind'], 7],
    [['spec', 'strategy', 'canary', 'steps', 1, 'pause'], 15],
    [['spec', 'strategy', 'canary', 'steps', 0], 14],
    [['spec', 'strategy', 'canary', 'steps', 7, 'pause'], 13],
    [['spec', 'gateway', 'parentRef'], 10],
    [[], 6],
  ])('the field %j stands in line %d', (path, line) => {
    expect(manifests[0]!.lineOf(path)).toBe(line);
  });

  test('lines of an item of a List', () => {
    expect(manifests[1]!.lineOf(['metadata', 'name'])).toBe(20);
  });

  test('what cannot be read is a problem with its line; the rest is read', () => {
    const read = parseManifests('b.yaml', `kind: AssistantDeployment\n---\na: [1,\n---\nkind: AssistantDeployment\n`);
    expect(read.problems).toMatchObject([{ file: 'b.yaml', line: expect.any(Number) as number }]);
    expect(read.manifests.length).toBeGreaterThanOrEqual(1);
  });

  test.each([
    ['an alias without its anchor', 'spec: *nowhere\n', 'Unresolved alias'],
    [
      'aliases of aliases',
      `${['a', 'b', 'c', 'd']
        .map((name, index) => `${name}: &${name} [${`*${'zabc'[index]},`.repeat(9)}1]\n`)
        .join('')
        .replaceAll('*z', '1')}spec: [*d, *d]\n`,
      'Excessive alias count',
    ],
  ])('%s is a problem with its line', (_, text, words) => {
    const read = parseManifests('c.yaml', `kind: List\n---\nkind: AssistantDeployment\n${text}`);
    expect(read.manifests).toEqual([]);
    expect(read.problems).toMatchObject([{ file: 'c.yaml', line: 3 }]);
    expect(read.problems[0]?.message).toContain(words);
  });

  test('values are what kubectl takes them for', () => {
    const text = `kind: AssistantDeployment
common: &common { resources: {}, port: 0100 }
spec:
  components: { chat: { <<: *common, image: a } }
  paused: yes
  autoPromote: off
  release: on
  texts: [1:30, 2026-01-31, 2026-01-31T12:00:00Z, 1.1.0, "yes"]
  numbers: [1_000, 0x1F, 1e3, 1.10]
`;
    // As \`kubectl annotate --local -f FILE a=b -o json\` has it.
    expect(parseManifests('d.yaml', text).manifests[0]?.object['spec']).toEqual({
      components: { chat: { resources: {}, port: 64, image: 'a' } },
      paused: true,
      autoPromote: false,
      release: true,
      texts: ['1:30', '2026-01-31', '2026-01-31T12:00:00Z', '1.1.0', 'yes'],
      numbers: [1000, 31, 1000, 1.1],
    });
  });

  test('a field without a value is one that is not there, as the API server has it; entries of lists and what nobody knows stay', () => {
    const text =
      'kind: AssistantDeployment\nspec:\n  components: { chat: { env: , template: { spec: } } }\n  slo:\n  other:\n  metrics: [ , ]\n';
    expect(parseManifests('e.yaml', text.replace('[ , ]', '[ ~ ]')).manifests[0]?.object['spec']).toEqual({
      components: { chat: { template: { spec: null } } },
      other: null,
      metrics: [null],
    });
  });

  test.each([[''], ['# nothing\n'], ['just text'], ['- 1\n- 2\n'], ['null']])('%j holds none', (text) => {
    expect(parseManifests('c.yaml', text)).toMatchObject({ manifests: [], problems: [] });
  });
});

test('folders are looked through, JSON is read, standard input is -', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'deep', 'er', 'a.yml'), TEXT);
  await writeFile(join(folder, 'b.json'), '{"kind":"AssistantDeployment","metadata":{"name":"third"}}');
  await writeFile(join(folder, 'notes.txt'), 'kind: AssistantDeployment');
  const stdin = (): Promise<string> => Promise.resolve('kind: AssistantDeployment');
  const { manifests } = await readManifests([folder, '-'], stdin);
  expect(manifests.map(({ file }) => file.replace(folder, ''))).toEqual([
    '/b.json',
    '/deep/er/a.yml',
    '/deep/er/a.yml',
    '-',
  ]);
  await expect(readManifests([join(folder, 'absent')], stdin)).rejects.toThrow(/-f .*absent cannot be read: ENOENT/);
  await expect(readManifests([join(folder, 'deep', 'er', 'a.yml')], stdin)).resolves.toMatchObject({ others: 1 });
  await writeFile(join(folder, 'only.yaml'), 'kind: Service');
  await expect(readManifests([join(folder, 'only.yaml')], stdin)).rejects.toThrow(
    /no AssistantDeployment in .*1 documents of other kinds/,
  );
  await rm(folder, { recursive: true });
});
