import { expect, test } from 'vitest';
import { SettingsError, podSettings, readSettings, redisSettings } from './config.ts';

const schema = podSettings.extend(redisSettings.shape);

test('defaults fill what is not set, and an empty variable counts as not set', () => {
  const settings = readSettings(schema, { REDIS_URL: 'redis://r:6379', PORT: '', LOG_LEVEL: '' });
  expect(settings).toMatchObject({ PORT: 8080, ADMIN_PORT: 9090, LOG_LEVEL: 'info', ASSISTANT_REVISION: 'dev' });
});

test('one error lists all that is wrong, by variable, with what was seen', () => {
  const wrong = { PORT: 'eighty', ADMIN_PORT: '70000', LOG_LEVEL: 'loud', REDIS_URL: 'http://r' };
  const read = () => readSettings(schema, wrong);
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(/^The environment has 4 problem\(s\):\n/);
  for (const name of Object.keys(wrong)) expect(read).toThrow(new RegExp(`^ {2}${name} is `, 'm'));
  expect(() => readSettings(schema, {})).toThrow('REDIS_URL not set: must look like redis://host:6379');
});
