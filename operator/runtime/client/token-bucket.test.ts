import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import { TokenBucket } from './token-bucket.ts';

describe('TokenBucket', () => {
  it('lets the burst through at once, then the rate', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket({ rate: 10, burst: 2 }, clock);
    expect([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()]).toEqual([0, 0, 100, 200]);
  });

  it('refills with time, up to the burst', async () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket({ rate: 10, burst: 2 }, clock);
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
    await clock.advance(100);
    expect([bucket.tryTake(), bucket.tryTake()]).toEqual([true, false]);
    await clock.advance(60_000);
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
  });

  it('wakes those who wait in order of arrival, and when the signal aborts', async () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket({ rate: 10, burst: 1 }, clock);
    const woken: string[] = [];
    const stop = new AbortController();
    for (const name of ['a', 'b', 'c']) void bucket.take().then(() => woken.push(name));
    void bucket.take(stop.signal).then(() => woken.push('stopped'));
    await clock.advance(100);
    expect(woken).toEqual(['a', 'b']);
    stop.abort();
    await clock.advance(100);
    expect(woken).toEqual(['a', 'b', 'stopped', 'c']);
  });

  it.each([
    { rate: 0, burst: 1 },
    { rate: 1, burst: 0 },
    { rate: NaN, burst: 1 },
  ])('refuses %o', (limit) => {
    expect(() => new TokenBucket(limit, new ManualClock())).toThrow(RangeError);
  });
});
