// Golden output of `lint`, through the command itself and a file.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lint } from '../commands/lint.ts';
import { makePaint } from './paint.ts';

const fixture = fileURLToPath(new URL('../testdata/lint/support.yaml', import.meta.url));

async function linted(options: { readonly strict?: boolean; readonly json?: boolean }, text?: string) {
  let out = '';
  const code = await lint(
    {
      stdout: { write: (part: string) => (out += part) },
      stderr: { write: (part: string) => (out += part) },
      readStdin: () => Promise.resolve(text ?? ''),
      env: {},
      now: () => 0,
      interrupted: new AbortController().signal,
    },
    makePaint(false),
    { files: [text === undefined ? fixture : '-'], strict: false, json: false, ...options },
  );
  return { code, out: out.replaceAll(fixture, 'support.yaml') };
}

test('findings with file, line, field and remedy', async () => {
  const { code, out } = await linted({});
  expect(code).toBe(1);
  await expect(out).toMatchFileSnapshot('../testdata/lint/support.txt');
});

test('-o json', async () => {
  const { code, out } = await linted({ json: true });
  expect(code).toBe(1);
  await expect(out).toMatchFileSnapshot('../testdata/lint/support.json');
});

const WARNED = `apiVersion: assistant-platform.io/v1alpha1
kind: AssistantDeployment
metadata: { name: a }
spec:
  components: { chat: { image: 'chat:1' } }
  gateway: { parentRef: { name: public } }
  strategy: { type: Canary, canary: { steps: [ { setWeight: 20 }, { pause: {} }, { setWeight: 60 } ] } }
`;

test('warnings pass, and fail strictly', async () => {
  expect(await linted({}, WARNED)).toMatchObject({
    code: 0,
    out: expect.stringContaining('0 errors, 1 warning,') as string,
  });
  expect((await linted({ strict: true }, WARNED)).code).toBe(1);
});

test('what is no YAML is an error with its line', async () => {
  const { code, out } = await linted({}, `${WARNED}---\nkind: [\n`);
  expect(code).toBe(1);
  expect(out).toMatch(/^error {3}Syntax .*\n.*\(standard input:\d+\)$/m);
});
