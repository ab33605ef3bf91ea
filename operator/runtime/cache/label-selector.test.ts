import { describe, expect, it } from 'vitest';
import { labelMatcher } from './label-selector.ts';

const labels = { app: 'chat', tier: 'web', 'app.kubernetes.io/name': 'x' };

describe('labelMatcher', () => {
  it.each([
    ['', true],
    [undefined, true],
    ['app=chat', true],
    ['app==chat', true],
    ['app = chat, tier = web', true],
    ['app=realtime', false],
    ['app!=realtime', true],
    ['missing!=x', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['app in (chat,realtime)', true],
    ['app in (realtime)', false],
    ['app notin (realtime, x)', true],
    ['missing notin (x)', true],
    ['app notin (chat)', false],
    ['app.kubernetes.io/name=x,app in (a,chat),!gone', true],
    ['app=chat,tier=db', false],
  ])('%s', (selector, expected) => {
    expect(labelMatcher(selector)(labels)).toBe(expected);
  });

  it('treats no labels as an empty set', () => {
    expect(labelMatcher('a=b')(undefined)).toBe(false);
    expect(labelMatcher('!a')(undefined)).toBe(true);
  });

  it.each(['a b', '=x', 'a in x', '!a=b', 'a=(b)'])('refuses %s and names it', (selector) => {
    expect(() => labelMatcher(selector)).toThrow(/cannot read/);
  });
});
