import { expect, test } from 'vitest';
import { readAnswer } from './sessions.ts';

const status = (code: number, message: string): string => JSON.stringify({ kind: 'Status', code, message });

test.each([
  [
    'an answer of the contract',
    200,
    '{"open":5,"busy":1,"oldestSeconds":60,"draining":true}',
    { kind: 'Known', open: 5, busy: 1, oldestSeconds: 60, draining: true },
  ],
  ['the least of it', 200, '{"open":0}', { kind: 'Known', open: 0, busy: 0, oldestSeconds: null, draining: false }],
  [
    'something else',
    200,
    '<html>',
    { kind: 'Unknown', why: expect.stringContaining('not of the pod contract') as string },
  ],
  ['no such path in the pod', 404, 'not found', { kind: 'Unsupported' }],
  ['no such pod', 404, status(404, 'pods "a" not found'), { kind: 'Unknown', why: 'pods "a" not found' }],
  ['no such port', 503, status(503, 'dial tcp 10.0.0.1:9090: connect: connection refused'), { kind: 'Unsupported' }],
  ['not allowed', 403, status(403, 'forbidden'), { kind: 'Forbidden' }],
  ['not allowed by the pod', 403, '{}', { kind: 'Unknown', why: 'the pod answered 403' }],
])('%s', (_, code, body, answer) => {
  expect(readAnswer(code, body)).toEqual(answer);
});
