// Which flags which command takes, as the README has it.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { visible } from './completion.ts';
import { makeProgram } from './program.ts';
import { ApiServer } from './testing/api-server.ts';
import { scenes } from './testing/scenes.ts';

const commands = visible(makeProgram());
const taking = (long: string): string[] =>
  commands.filter(({ options }) => options.some((option) => option.long === long)).map((command) => command.name());

test('-o json is taken by every command but completion, -A by status alone', () => {
  const all = commands.map((command) => command.name());
  expect(taking('--output')).toEqual(all.filter((name) => name !== 'completion'));
  expect(taking('--all-namespaces')).toEqual(['status']);
});

describe('-n and --context are taken', () => {
  test.each([
    ['before the command', ['-n', 'assistants', '--context', 'here', 'why', 'support'], 0, 'support waits for nothing'],
    ['behind it', ['why', 'support', '--namespace=assistants', '--context=here'], 0, 'support waits for nothing'],
    ['by what acts', ['restart', 'support', '-n', 'assistants', '--context', 'here'], 0, '-n assistants --watch'],
    ['as they are', ['why', 'support', '-n', 'elsewhere'], 3, 'AssistantDeployment'],
    ['where they are known', ['pause', 'support', '--context', 'nowhere'], 3, 'there is no context "nowhere"'],
    ['but no -A by what speaks of one', ['promote', 'support', '-A'], 3, "unknown option '-A'"],
    ['nor a name beside -A', ['status', 'support', '-A'], 3, 'either a name or -A'],
  ])('%s', async (_, line, code, words) => {
    await using api = await ApiServer.start(scenes.find(({ title }) => title === 'healthy')!.object);
    const said = await api.command(...line);
    expect(said.all).toContain(words);
    expect(said.code).toBe(code);
  });
});

describe('flags as kubectl takes them', () => {
  test.each([
    ['-n=NAMESPACE', ['why', 'support', '-n=assistants'], 0, 'support waits for nothing'],
    ['-o=json', ['why', 'support', '-o=json'], 0, '"name": "support"'],
    ['an error with -o=json', ['why', 'absent', '-o=json'], 3, '"code": "NotFound"'],
    ['an empty namespace is none', ['why', 'support', '-n', ''], 0, 'support waits for nothing'],
    ['an empty context is none', ['why', 'support', '--context', ''], 0, 'support waits for nothing'],
    ['an empty kubeconfig is none', ['why', 'support', '--kubeconfig='], 0, 'support waits for nothing'],
    ['a flag without a value takes none', ['status', '-w=true'], 3, 'unknown option'],
    ['what has an equals sign stays', ['abort', 'support', '--reason', 'a=b'], 3, 'nothing to abort'],
  ])('%s', async (_, line, code, words) => {
    await using api = await ApiServer.start(scenes.find(({ title }) => title === 'healthy')!.object);
    const said = await api.command(...line);
    expect(said.all).toContain(words);
    expect(said.code).toBe(code);
  });
});

describe('what is no name of one object is refused before the cluster is asked', () => {
  const healthy = scenes.find(({ title }) => title === 'healthy')!.object;
  test.each([
    [['status', '']],
    [['status', '', '--timeout', '1m']],
    [['restart', '']],
    [['why', 'ad/support']],
    [['why', '..']],
    [['profile', 'pod/support-chat-1']],
    [['why', 'support', '-n', 'a/b']],
  ])('%j', async (line) => {
    await using api = await ApiServer.start(healthy);
    const said = await api.command(...line);
    expect(said.err).toContain('write the name of the object alone');
    expect(said).toMatchObject({ code: 3, out: '' });
  });
});

test.each([
  [
    'admission webhook "policy.example.com" denied the request: not on Fridays',
    'Refused',
    'the API server answered 403',
  ],
  ['"support" is forbidden: User "me" cannot patch resource "assistantdeployments"', 'Forbidden', 'ask for a role'],
])('a write that is answered 403, %s', async (message, errorCode, words) => {
  await using api = await ApiServer.start(scenes.find(({ title }) => title === 'healthy')!.object);
  api.refusal = { code: 403, message };
  const said = await api.command('restart', 'support', '-o', 'json');
  expect(JSON.parse(said.out)).toMatchObject({ error: { code: errorCode } });
  expect(said.err).toContain(words);
  expect(said.err).toContain(message);
});

test.each([['bundle'], ['profile']])('%s looks whether its file is there before it goes to work', async (command) => {
  await using api = await ApiServer.start(scenes.find(({ title }) => title === 'healthy')!.object);
  const said = await api.command(command, 'absent', '--out', join(api.folder, 'config'));
  expect(said.err).toContain('config cannot be written: EEXIST, it is there already');
  expect(said.code).toBe(3);
});
