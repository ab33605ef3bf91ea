import { describe, expect, it } from 'vitest';
import { jsonLogger } from './logger.ts';

const setUp = (least?: 'debug' | 'warn') => {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: jsonLogger((line) => void lines.push(JSON.parse(line) as Record<string, unknown>), least) };
};

describe('jsonLogger', () => {
  it('writes a line of JSON with the bound fields, and errors with their causes', () => {
    const { lines, log } = setUp();
    const error = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNRESET' }) });
    log.child({ controller: 'c' }).error({ err: error, tries: 2 }, 'it failed');
    expect(lines[0]).toMatchObject({
      level: 'error',
      msg: 'it failed',
      controller: 'c',
      tries: 2,
      err: { message: 'outer', cause: { message: 'inner', code: 'ECONNRESET' } },
    });
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = setUp('warn');
    log.info({}, 'quiet');
    log.child({}).debug({}, 'quiet');
    log.warn({}, 'loud');
    expect(lines.map(({ msg }) => msg)).toEqual(['loud']);
  });
});
