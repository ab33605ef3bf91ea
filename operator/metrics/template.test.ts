import { describe, expect, it } from 'vitest';
import { fillIn, namesComponent } from './template.ts';

const values = { name: 'support', namespace: 'assistants', component: 'chat', revision: '6c9f7d' };

describe('a query of one’s own', () => {
  it('is filled in, with or without spaces', () => {
    expect(fillIn('sum(x{ns="{{namespace}}",pod=~"{{ name }}-{{component}}-{{revision}}-.*"})', values)).toBe(
      'sum(x{ns="assistants",pod=~"support-chat-6c9f7d-.*"})',
    );
  });

  it('with an unknown placeholder is refused with the ones there are', () => {
    expect(() => fillIn('x{p="{{pod}}"}', values)).toThrow(
      'prometheus.query has {{pod}}; there are {{name}}, {{namespace}}, {{component}}, {{revision}}',
    );
    expect(() => fillIn('x{p="{{__proto__}}"}', values)).toThrow(/__proto__/);
  });

  it.each(['a"} or vector(1) #', 'a\\', "a'", 'a`', 'a\nb', 'a|b', '.*', '', '{{name}}'])(
    'cannot be broken out of by %j',
    (revision) => {
      expect(() => fillIn('x{r="{{revision}}"}', { ...values, revision })).toThrow(/cannot be put into a query/);
    },
  );

  it('is about a component when it names one', () => {
    expect([namesComponent('x{c="{{ component }}"}'), namesComponent('x{component="chat"}')]).toEqual([true, false]);
  });
});
