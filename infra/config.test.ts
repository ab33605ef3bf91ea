import { describe, expect, it } from 'vitest';
import { ConfigError, describeSettings, parseSettings, SETTING_NAMES } from './config.ts';

const problemsOf = (raw: Record<string, unknown>, hasSeed = true): readonly string[] => {
  try {
    parseSettings(raw, hasSeed);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('parseSettings', () => {
  it('needs nothing but the seed', () => {
    expect(parseSettings({}, true)).toMatchObject({
      tier: 'dev',
      imageRegistry: 'localhost/assistant',
      storageClass: 'standard',
      nodePorts: { gateway: 30080, unleash: 30042, openbao: 30082, prometheus: 30090 },
      operatorReplicas: 2,
      skipAwait: false,
    });
  });

  it('takes numbers and truth as the text that Pulumi keeps them in', () => {
    expect(parseSettings({ operatorReplicas: '1', skipAwait: 'true' }, true)).toMatchObject({
      operatorReplicas: 1,
      skipAwait: true,
    });
  });

  it('keeps the other ports when one is given', () => {
    expect(parseSettings({ nodePorts: { gateway: 31000 } }, true).nodePorts).toMatchObject({
      gateway: 31000,
      unleash: 30042,
    });
  });

  it('says how to set the seed', () => {
    expect(problemsOf({}, false)).toEqual([
      expect.stringMatching(/^seed: is not set; .*pulumi config set --secret seed/),
    ]);
  });

  it.each([
    [{ tier: 'prod' }, 'tier: the root stack provisions the dev tier; write "dev"'],
    [{ imageRegistry: 'Example/' }, /^imageRegistry: write a registry and path/],
    [{ imageTags: { chat: 'latest' } }, 'imageTags.chat: pin a version instead of "latest"'],
    [{ imageTags: { chat: 'a b' } }, 'imageTags.chat: write an image tag such as 1.0.0'],
    [{ imageDigests: { redis: 'sha256:12' } }, 'imageDigests.redis: write sha256: and 64 hex digits'],
    [{ nodePorts: { gateway: 80 } }, /^nodePorts\.gateway: /],
    [{ nodePorts: { gateway: 30042 } }, /^nodePorts\.unleash: 30042 is taken by gateway/],
    [{ nodePorts: { grafana: 30001 } }, 'nodePorts.grafana: no such member; remove it'],
    [{ nodeAddress: 'http://host' }, /^nodeAddress: write a host name or an IP address, without scheme or port/],
    [{ chatReplicas: '0' }, /^chatReplicas: /],
    [{ skipAwait: 'yes' }, /^skipAwait: /],
    [{ storageclass: 'x' }, /^storageclass: no such setting; there are tier, .*, seed$/],
  ])('refuses %j', (raw, expected) => {
    expect(problemsOf(raw)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('lists everything that is wrong at once', () => {
    const problems = problemsOf({ tier: 'x', chatReplicas: 'many', typo: 1, nodePorts: { openbao: 1 } }, false);
    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'chatReplicas',
      'nodePorts.openbao',
      'seed',
      'tier',
      'typo',
    ]);
    expect(new ConfigError(problems).message).toMatch(/^the stack's configuration is wrong in 5 places:\n {2}- /);
  });
});

describe('describeSettings', () => {
  it('names every setting', () => {
    expect(describeSettings().map(({ name }) => name)).toEqual([...SETTING_NAMES]);
  });
});
