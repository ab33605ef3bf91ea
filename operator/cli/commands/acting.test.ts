// Golden outputs of the commands that act, for people and as documents. Look at the difference, then `vitest run -u` when it is meant.
import { join } from 'node:path';
import type { AssistantDeployment } from '@assistant-platform/api';
import { describe, expect, test } from 'vitest';
import { changesBetween, type Change } from '../changes.ts';
import type { RevisionRecord } from '../revisions.ts';
import { ApiServer } from '../testing/api-server.ts';
import { recordsOf, scenes } from '../testing/scenes.ts';

const file = (name: string): string => `../testdata/acting/${name}`;

function scene(title: string): AssistantDeployment {
  const found = scenes.find((each) => each.title === title);
  if (found === undefined) throw new Error(`no scene "${title}"`);
  return found.object;
}

/** The stable release ran other images, with a variable. */
function records(object: AssistantDeployment): RevisionRecord[] {
  const { stableRevision } = object.status ?? {};
  const chat = {
    image: 'localhost/assistant/chat:1.0.0',
    replicas: 2,
    env: [{ name: 'MODEL_KEY', value: 'hunter2' }],
  };
  return recordsOf(object).map((record) =>
    record.hash === stableRevision?.hash && record.source !== null
      ? { ...record, source: { ...record.source, components: { ...record.source.components, chat } } }
      : record,
  );
}

async function serve(title: string): Promise<ApiServer> {
  const object = scene(title);
  // What the steps name has to be declared for the operator to read the spec.
  const metrics = ['error-rate', 'ttft'].map((metric) => ({ name: metric, preset: 'ErrorRate' as const, max: '0.5' }));
  const flags = [{ feature: 'new-memory', environment: 'development' }];
  return ApiServer.start({ ...object, spec: { ...object.spec, metrics, flags } }, records(object));
}

interface Document {
  readonly verb: string;
  readonly changed: boolean;
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
}

const CASES: readonly (readonly [golden: string, title: string, line: readonly string[]])[] = [
  ['promote', 'canary-paused', ['promote', 'support']],
  ['promote-full', 'canary-paused', ['promote', 'support', '--full']],
  ['abort', 'canary-analysis', ['abort', 'support', '--reason', 'answers are wrong']],
  ['retry', 'aborted', ['retry', 'support']],
  ['pause', 'canary-analysis', ['pause', 'support']],
  ['resume', 'paused-by-spec', ['resume', 'support']],
  ['undo', 'canary-analysis', ['undo', 'support']],
  ['undo-dry-run', 'canary-analysis', ['undo', 'support', '--dry-run']],
  ['restart', 'healthy', ['restart', 'support']],
  // Held: what moves a release forward says that it waits.
  ['restart-held', 'paused-by-spec', ['restart', 'support']],
  ['refused', 'healthy', ['promote', 'support']],
  ['not-found', 'healthy', ['retry', 'suport']],
  ['profile-not-found', 'healthy', ['profile', 'support-chat-1']],
];

describe('what is said after', () => {
  test.each(CASES)('%s', async (golden, title, line) => {
    await using api = await serve(title);
    await expect((await api.command(...line)).all).toMatchFileSnapshot(file(`${golden}.txt`));
  });

  test.each(CASES)('%s -o json', async (golden, title, line) => {
    await using api = await serve(title);
    const text = (await api.command(...line)).err;
    await using again = await serve(title);
    const { out, err } = await again.command(...line, '-o', 'json');
    await expect(out).toMatchFileSnapshot(file(`${golden}.json`));
    // What should be known besides is on standard error either way.
    expect(err).toBe(text);
    expect(out).not.toContain('hunter2');
  });
});

describe('the document', () => {
  test.each(CASES.slice(0, 10))('of %s says what was written', async (_, title, line) => {
    await using api = await serve(title);
    const before = api.object;
    const { changed, changes } = JSON.parse((await api.command(...line, '-o', 'json')).out) as Document;
    const paths = changesBetween(before, api.object).map(({ path }) => path);
    expect(changed).toBe(paths.length > 0);
    const said = changes.map(({ path }) => path.replace(/\[(.*)\]$/, '.$1'));
    // An annotation that is the first one comes with its map.
    const first = before.metadata.annotations === undefined;
    const written = said.map((path) => (first ? path.replace(/annotations[.].*/, 'annotations') : path));
    expect(paths).toEqual(line.includes('--dry-run') ? [] : written);
  });

  test('of an undo is made where this version cannot read the spec, too', async () => {
    const object = scene('canary-analysis'); // its steps name metrics that it does not declare
    await using api = await ApiServer.start(object, records(object));
    expect(await api.command('undo', 'support', '--dry-run')).toMatchObject({ code: 0, err: '' });
    const file = join(api.folder, 'a.tar.gz');
    const { code, err } = await api.command('bundle', 'support', '--out', file);
    expect(code).toBe(0);
    expect(err).toContain('not in it: what the spec refers to: this version cannot read the spec');
  });

  test('of an order that is there already says that nothing has changed, and why', async () => {
    await using api = await serve('canary-paused');
    await api.command('promote', 'support');
    const again = JSON.parse((await api.command('promote', 'support', '-o', 'json')).out) as Document;
    expect(again).toMatchObject({
      changed: false,
      changes: [{ before: 'step', after: 'step' }],
      warnings: [expect.stringContaining('has not taken the last order yet')],
    });
  });

  test('of a line that cannot be read is an error as well', async () => {
    await using api = await serve('canary-paused');
    const { out, code } = await api.command('abort', 'support', '-o', 'json');
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'BadUsage', message: "required option '--reason <text>' not specified" },
    });
  });
});

describe('bundle', () => {
  /** Sizes differ with the version of Node.js, and the folder with each run. */
  const steady = (text: string, { folder }: ApiServer): string =>
    text
      .replaceAll(folder, '/tmp')
      .replace(/\d+ KiB/, 'N KiB')
      .replace(/"bytes": \d+/, '"bytes": 0');

  test.each([
    ['bundle.txt', []],
    ['bundle.json', ['-o', 'json']],
  ])('%s', async (golden, flags) => {
    await using api = await serve('healthy');
    const { all, out, code } = await api.command('bundle', 'support', '--out', join(api.folder, 'a.tar.gz'), ...flags);
    expect(code).toBe(0);
    await expect(steady(flags.length === 0 ? all : out, api)).toMatchFileSnapshot(file(golden));
  });
});
