import { describe, expect, it } from 'vitest';
import { LearnedLimits } from './presets.ts';

describe('what was usual before an analysis', () => {
  const asking = (answers: (number | null)[]) => () => Promise.resolve(answers.shift() ?? null);

  it('is asked for once, when it cannot change any more', async () => {
    const learned = new LearnedLimits();
    const ask = asking([1, 2, 3]);
    expect(await learned.of('a', false, ask)).toBe(1);
    expect(await learned.of('a', true, ask)).toBe(2);
    expect(await learned.of('a', true, ask)).toBe(2);
    expect(await learned.of('b', true, ask)).toBe(3);
  });

  it('is asked for again where there were no data', async () => {
    const learned = new LearnedLimits();
    const ask = asking([null, 5]);
    expect(await learned.of('a', true, ask)).toBeNull();
    expect(await learned.of('a', true, ask)).toBe(5);
  });

  it('is forgotten, the oldest first, when there is too much of it', async () => {
    const learned = new LearnedLimits(2);
    for (const key of ['a', 'b', 'c']) await learned.of(key, true, asking([1]));
    expect(await learned.of('a', true, asking([2]))).toBe(2);
    expect(await learned.of('c', true, asking([2]))).toBe(1);
  });
});
