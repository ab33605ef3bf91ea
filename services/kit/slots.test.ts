import { expect, test } from 'vitest';
import { LineFull, createSlots } from './slots.ts';

const never = new AbortController().signal;

test('first come, first served; one more than slots and line hold is refused at once', async () => {
  const slots = createSlots(['a'], 2);
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const work = (name: string) =>
    slots.use(async () => {
      order.push(name);
      await gate.promise;
    }, never);
  const all = [work('1'), work('2'), work('3')];
  await expect(work('4')).rejects.toThrow(LineFull);
  expect([slots.busy(), slots.waiting()]).toEqual([1, 2]);
  gate.resolve(undefined);
  await Promise.all(all);
  expect(order).toEqual(['1', '2', '3']);
  expect([slots.busy(), slots.waiting()]).toEqual([0, 0]);
});

test('who leaves the line frees the place; a failing worker gives its slot back', async () => {
  const slots = createSlots(['a'], 1);
  const gate = Promise.withResolvers<undefined>();
  const holder = slots.use(() => gate.promise, never);
  const leaving = new AbortController();
  const waiting = slots.use(() => Promise.resolve('never'), leaving.signal);
  leaving.abort(new Error('left'));
  await expect(waiting).rejects.toThrow('left');
  expect(slots.waiting()).toBe(0);
  gate.reject(new Error('broken'));
  await expect(holder).rejects.toThrow('broken');
  expect(await slots.use((slot) => Promise.resolve(slot), never)).toBe('a');
  await expect(slots.use(() => Promise.resolve(), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
