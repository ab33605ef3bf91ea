import { expect, test } from 'vitest';
import { beginSharedCall } from './shared-call.ts';

/** A call that the test steers. */
function steered() {
  const end = Promise.withResolvers<string>();
  const state = { say: (_text: string): void => undefined, ended: 0, aborted: false, finish: end.resolve };
  const call = beginSharedCall<string>(
    (onText, signal) => {
      state.say = onText;
      signal.addEventListener('abort', () => {
        state.aborted = true;
        end.resolve('given up');
      });
      return end.promise;
    },
    () => (state.ended += 1),
  );
  return { call, state };
}

test('everybody gets every piece, late comers what was said before', async () => {
  const { call, state } = steered();
  const never = new AbortController().signal;
  const texts: [string, string] = ['', ''];
  const one = call.join((piece) => (texts[0] += piece), never);
  state.say('a');
  state.say('b');
  const two = call.join((piece) => (texts[1] += piece), never);
  state.say('c');
  state.finish('done');
  expect(await Promise.all([one, two])).toEqual(['done', 'done']);
  expect(texts).toEqual(['abc', 'abc']);
  expect(state).toMatchObject({ ended: 1, aborted: false });
});

test('it goes on while one is left, and ends when the last one leaves', async () => {
  const { call, state } = steered();
  const [first, second] = [new AbortController(), new AbortController()];
  const texts: [string, string] = ['', ''];
  const one = call.join((piece) => (texts[0] += piece), first.signal);
  const two = call.join((piece) => (texts[1] += piece), second.signal);
  first.abort();
  expect(await one).toBeUndefined();
  state.say('x');
  expect(state).toMatchObject({ ended: 0, aborted: false });
  second.abort();
  expect(await two).toBeUndefined();
  expect(state.aborted).toBe(true);
  expect(state.ended).toBeGreaterThan(0);
  expect(texts).toEqual(['', 'x']);
});
