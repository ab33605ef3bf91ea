import { describe, expect, it } from 'vitest';
import { Slots } from './slots.ts';

describe('Slots', () => {
  it('runs no more at a time than there are slots, lowest rank first', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    let running = 0;
    const work = (name: string) => async () => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      order.push(name);
      running -= 1;
    };
    await Promise.all([
      slots.run(5, work('first')),
      slots.run(9, work('last')),
      slots.run(2, work('next')),
      slots.run(9, work('very last')),
    ]);
    expect(order).toEqual(['first', 'next', 'last', 'very last']);
  });

  it('gives the slot back when the work fails', async () => {
    const slots = new Slots(1);
    const failing = slots.run(0, () => Promise.reject(new Error('no network')));
    const after = slots.run(0, () => Promise.resolve('ran'));
    await expect(failing).rejects.toThrow('no network');
    await expect(after).resolves.toBe('ran');
  });

  it('refuses sizes that would never let anybody in', () => {
    expect(() => new Slots(0)).toThrow(RangeError);
    expect(() => new Slots(1.5)).toThrow(RangeError);
  });
});
