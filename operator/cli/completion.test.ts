import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { printCompletion } from './commands/completion.ts';
import { complete, completionText, globalValues, visible, type Lookups } from './completion.ts';
import { processIo } from './io.ts';
import { makeProgram } from './program.ts';
import { ApiServer } from './testing/api-server.ts';
import { scenes } from './testing/scenes.ts';

const program = makeProgram();
const lookups: Lookups = {
  names: () => Promise.resolve(['demo', 'support']),
  namespaces: () => Promise.resolve(['assistants', 'default']),
  contexts: () => Promise.reject(new Error('no kubeconfig')),
  revisions: (name) =>
    Promise.resolve(name === 'demo' ? [['6c9f7d', '1.0.0'] as const, ['8d1b2a', '1.1.0'] as const] : []),
};

async function proposed(line: readonly string[]): Promise<string[] | 'Files'> {
  const completion = await complete(program, line, lookups);
  return completion.kind === 'Files' ? 'Files' : completion.candidates.map(({ word }) => word);
}

describe('at the cursor stands', () => {
  test.each([
    ['a command', ['re'], ['retry', 'resume', 'restart']],
    ['a command behind global flags', ['-n', 'assistants', 'und'], ['undo']],
    ['a name', ['status', ''], ['demo', 'support']],
    ['a name that has begun', ['why', 's'], ['support']],
    ['nothing behind the name', ['why', 'support', ''], []],
    ['a flag of the command', ['undo', 'demo', '--t'], ['--to']],
    ['a flag of all commands', ['why', '--name'], ['--namespace']],
    ['a namespace', ['status', '-n', ''], ['assistants', 'default']],
    ['a namespace behind an equals sign', ['status', '--namespace=d'], ['--namespace=default']],
    ['a format', ['status', 'demo', '-o', ''], ['text', 'json']],
    ['a revision of that assistant', ['undo', 'demo', '--to', ''], ['6c9f7d', '8d1b2a']],
    ['no revision without a name', ['undo', '--to', ''], []],
    ['a shell', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['a file', ['lint', '-f', ''], 'Files'],
    ['a file for the kubeconfig', ['status', '--kubeconfig', ''], 'Files'],
    ['nothing where the look-up fails', ['status', '--context', ''], []],
    ['nothing for free text', ['abort', 'demo', '--reason', ''], []],
    ['nothing for an unknown flag', ['status', '--nonsense=x'], []],
  ])('%s: %j', async (_, line, expected) => {
    expect(await proposed(line)).toEqual(expected);
  });

  test('every command that the help shows, and no other', async () => {
    const all = await proposed(['']);
    expect(all).toEqual(visible(program).map((command) => command.name()));
    expect(all).not.toContain('__complete');
    expect(all).toHaveLength(16);
  });
});

test('flags in the line say which cluster is asked', () => {
  const line = ['--context=here', 'status', '-n', 'assistants', '--kubeconfig', '/a', '-o', 'json', ''];
  expect(globalValues(program, line)).toEqual({ context: 'here', namespace: 'assistants', kubeconfig: '/a' });
});

test('the word that is being typed is no value yet', () => {
  expect(globalValues(program, ['status', '--context', 'kuber'])).toEqual({});
  expect(globalValues(program, ['status', '-n', 'a', '--context', ''])).toEqual({ namespace: 'a' });
});

test('a context is completed from its beginning', async () => {
  await using api = await ApiServer.start(scenes[0]!.object);
  expect((await api.command('__complete', '--', 'status', '--context', 'he')).out).toBe('here\n:4\n');
});

test('the answer is that of cobra’s __complete', () => {
  const candidates = [
    { word: 'a', description: 'first' },
    { word: 'b', description: '' },
  ];
  expect(completionText({ kind: 'Words', candidates })).toBe('a\tfirst\nb\n:4\n');
  expect(completionText({ kind: 'Words', candidates: [] })).toBe(':4\n');
  expect(completionText({ kind: 'Files' })).toBe(':0\n');
});

describe('bash puts in what is still missing of', () => {
  const printed = { text: '' };
  printCompletion('bash', { ...processIo(), stdout: { write: (text) => (printed.text += text) } });

  test.each([
    ['a name', 'arn:aws:eks:eu:1:cluster/one', 'why ', 'arn:aws:eks:eu:1:cluster/one'],
    ['a context of EKS', 'arn:aws:eks:eu:1:cluster/one', 'status --context arn:aws:e', 'eks:eu:1:cluster/one'],
    ['one behind a colon', 'arn:aws:eks:eu:1:cluster/one', 'status --context arn:', 'aws:eks:eu:1:cluster/one'],
    ['a context of kubeadm', 'kubernetes-admin@kubernetes', 'status --context kubernetes-admin@k', '@kubernetes'],
    ['a flag with its value', '--namespace=default', 'status --namespace=d', 'default'],
    ['both', '--context=arn:aws:one', 'status --context=arn:aws:o', 'one'],
  ])('%s', (_, candidate, line, put) => {
    const typed = `kubectl-assistant ${line}`;
    const script = `kubectl-assistant() { printf '%s\\n:4\\n' '${candidate}'; }
      ${printed.text}
      COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:' COMP_LINE='${typed}' COMP_POINT=${typed.length}
      _kubectl_assistant
      printf '%s' "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(put);
  });
});
