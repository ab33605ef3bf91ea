// The redaction, place by place, and the archive.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { compose } from './compose.ts';
import { REDACTED, Redactor } from './redact.ts';
import { tarGz } from './tar.ts';

const redacted = (value: unknown): string => JSON.stringify(new Redactor().object(value));

describe('places of objects: the value goes, the rest stays', () => {
  test.each<[string, unknown, string]>([
    ['data of a Secret', { kind: 'Secret', data: { key: 'aHVudGVyMjI=' } }, 'key'],
    ['stringData of a Secret', { kind: 'Secret', stringData: { key: 'hunter22' } }, 'key'],
    ['data of a ConfigMap', { kind: 'ConfigMap', data: { key: 'hunter22' } }, 'key'],
    ['a variable', { env: [{ name: 'ANYTHING', value: 'hunter22' }] }, 'ANYTHING'],
    [
      'a variable deep in a record',
      { data: { source: { components: { chat: { env: [{ name: 'X', value: 'hunter22' }] } } } } },
      'X',
    ],
    ['a header of a probe', { httpGet: { path: '/a', httpHeaders: [{ name: 'X-Key', value: 'hunter22' }] } }, 'X-Key'],
    [
      'a whole manifest in an annotation',
      { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"hunter22":1}' } },
      'last-applied',
    ],
    ['who wrote what', { metadata: { name: 'stays', managedFields: [{ manager: 'hunter22' }] } }, 'stays'],
    ['an annotation with such a name', { annotations: { 'example.com/api-token': 'hunter22' } }, 'api-token'],
    ['an argument behind a flag', { args: ['--db-password', 'hunter22', '--verbose'] }, '--verbose'],
    ['an argument with an equals sign', { args: ['--api-key=hunter22'] }, '--api-key'],
    ['a command of a shell', { command: ['sh', '-c', 'PASSWORD=hunter22 exec server'] }, 'exec server'],
    [
      'an attribute of a volume',
      { volumes: [{ csi: { volumeAttributes: { clientSecret: 'hunter22' } } }] },
      'clientSecret',
    ],
    ['a URL with a password', { args: ['postgres://app:hunter22@db/app'] }, '@db/app'],
    ['a message of an event', { note: 'failed with token=hunter22, again' }, 'again'],
  ])('%s', (_, value, stays) => {
    const text = redacted(value);
    expect(text).not.toContain('hunter22');
    expect(text).not.toContain('aHVudGVyMjI');
    expect(text).toContain(stays);
  });

  test.each(['20240115', 'test', '4711s', 'production'])('a password may be %s', (value) => {
    expect(redacted({ env: [{ name: 'DB_PASSWORD', value }] })).toContain(REDACTED);
    expect(redacted({ volumeAttributes: { clientSecret: value } })).toContain(REDACTED);
  });

  test('what is no secret stays as it is', () => {
    const value = {
      kind: 'Deployment',
      env: [
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'WORKERS', value: '4' },
        { name: 'ASSISTANT_REVISION', value: '6c9f7d' },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'model' } } },
      ],
      volumes: [{ secret: { secretName: 'keys' } }],
      automountServiceAccountToken: false,
      tokenExpirationSeconds: 3600,
      image: 'registry.example.com:5000/chat@sha256:0123456789abcdef',
      args: ['--port=8080', '--config', '/etc/app.yaml'],
    };
    expect(new Redactor().object(value)).toEqual(value);
  });
});

describe('texts', () => {
  test.each([
    ['a JSON Web Token', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl here', 'here'],
    ['a bearer', 'Authorization: Bearer abcdef123456', 'Authorization'],
    ['JSON', '{"level":"info","password":"hunter22","at":1}', '"at":1'],
    ['quoted', "secret='hunter22 with space' and more", 'and more'],
    ['a private key', 'x\n-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----\ny', 'y'],
    ['a key of a vendor', 'using sk-abcdefghij1234567890 now', 'now'],
    ['a URL', 'redis://user:hunter22@cache:6379/0', 'cache:6379'],
  ])('%s', (_, text, stays) => {
    const clean = new Redactor().text(text);
    expect(clean).not.toMatch(/hunter22|eyJ|abcdef|MIIEv/);
    expect(clean).toContain(stays);
    expect(clean).toContain(REDACTED);
  });

  test('a value that is secret in one place is taken out everywhere, in base64 too, the longest first', () => {
    const redactor = new Redactor();
    redactor.learn({ kind: 'Secret', data: { a: Buffer.from('correct-horse').toString('base64') } });
    redactor.learn({
      env: [
        { name: 'PHRASE', value: 'correct-horse-battery' },
        { name: 'SHORT', value: 'abc' },
      ],
    });
    const text = `a correct-horse-battery b correct-horse c ${Buffer.from('correct-horse').toString('base64')} d abc`;
    expect(redactor.text(text)).toBe(`a ${REDACTED} b ${REDACTED} c ${REDACTED} d abc`);
  });

  test('an ordinary log line stays', () => {
    const line =
      '2026-11-21T10:00:00Z {"level":"info","reconcileId":"7f3","name":"support","msg":"weight 10 % routed"}';
    expect(new Redactor().text(line)).toBe(line);
  });
});

test('the archive is one that tar reads', () => {
  const files = [
    { path: 'a/short.txt', content: 'one\n' },
    { path: `a/${'long/'.repeat(25)}name.txt`, content: 'ü'.repeat(600) },
    { path: 'a/empty', content: '' },
    { path: 'a/exact', content: 'x'.repeat(512) },
  ];
  const archive = tarGz(files, Date.parse('2026-11-21T10:00:00Z'));
  const read = (...args: string[]): string => execFileSync('tar', args, { input: archive, encoding: 'utf8' });
  expect(read('-tzf', '-').trim().split('\n')).toEqual(files.map(({ path }) => path));
  for (const { path, content } of files) expect(read('-xzOf', '-', path)).toBe(content);
  expect(() => tarGz([{ path: 'x'.repeat(300), content: '' }], 0)).toThrow(/too long for an archive/);
});

test('what could not be read stands in the README of the archive', () => {
  const files = compose({
    name: 'support',
    namespace: 'assistants',
    now: Date.parse('2026-11-21T10:00:00Z'),
    gathered: {
      objects: [
        {
          kind: 'Pod',
          namespace: 'other',
          name: 'p',
          object: { kind: 'Pod', env: [{ name: 'A', value: 'hunter22' }] },
        },
      ],
      texts: [{ path: 'operator/o.log', text: 'printed hunter22' }],
      gaps: ['/api/v1/secrets: answered 403'],
    },
    pages: { 'why.txt': ['it waits for hunter22'] },
    versions: { node: 'v24' },
  });
  expect(files.map(({ path }) => path.replace('assistant-support-2026-11-21T100000/', ''))).toEqual([
    'README.txt',
    'why.txt',
    'versions/command.json',
    'operator/o.log',
    'objects/Pod/other.p.yaml',
  ]);
  expect(files[0]?.content).toContain('- /api/v1/secrets: answered 403');
  expect(files.map(({ content }) => content).join('')).not.toContain('hunter22');
});
