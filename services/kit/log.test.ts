import { expect, test } from 'vitest';
import { createLogger } from './log.ts';

test('secrets and what people wrote never reach a line; revision and component are in each', () => {
  const lines: string[] = [];
  const identity = { component: 'chat', revision: 'r1', release: '1.0.0' };
  const log = createLogger('info', identity, { write: (line: string) => void lines.push(line) });
  log.info({ text: 'hunter2', password: 'hunter2', nested: { token: 'hunter2', prompt: 'hunter2', fine: 1 } }, 'said');
  log.info({ request: { headers: { authorization: 'hunter2' } } }, 'asked');
  log.debug('not written');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('hunter2');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', ...identity, msg: 'said', nested: { fine: 1 } });
});
