import { expect, test } from 'vitest';
import { ruleAnswer, ruleContinuation } from './rules.ts';

test.each([
  ['Hello!', /^Hello\./],
  ['good morning', /^Hello\./],
  ['Привет, как дела?', /^Здравствуйте/],
  ['thank you so much', /welcome/],
  ['Большое спасибо', /^Пожалуйста/],
  ['can you help me?', /Usually I answer/],
  ['Why is the sky blue?', /cannot reach the language model/],
  ['Почему небо голубое?', /недоступна/],
  ['', /cannot reach/],
  ['hijack the highway', /cannot reach/],
])('%s', (question, answer) => {
  expect(ruleAnswer(question)).toMatch(answer);
});

test('the sentence after a break is in the language of the question', () => {
  expect(ruleContinuation('why?')).toMatch(/stopped in the middle/);
  expect(ruleContinuation('почему?')).toMatch(/прервалась/);
});
