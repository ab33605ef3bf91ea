import { describe, expect, it } from 'vitest';
import { describeForecast, duration, partsOf } from './forecast.ts';
import type { Forecast } from './forecast.ts';

const warm: Forecast = {
  context: undefined,
  compileSeconds: 0,
  missingPackages: 0,
  systemPackages: [],
  running: false,
  stackThere: true,
};

describe('forecast', () => {
  it('says that nothing is compiled when all is in the cache', () => {
    const programs = partsOf(warm).find(({ what }) => what === 'programs');
    expect(programs).toEqual({ what: 'programs', seconds: 0, note: 'in the cache' });
    expect(describeForecast(warm)).toMatch(/programs +at once +in the cache/);
  });

  it('says how long a cold start takes and what is installed', () => {
    const cold = {
      ...warm,
      compileSeconds: 540,
      missingPackages: 8,
      systemPackages: ['containerd', 'runc'],
      stackThere: false,
    };
    const text = describeForecast(cold);
    expect(text).toMatch(/system packages .*installs containerd, runc/);
    expect(text).toMatch(/programs +9 min/);
    expect(text).toMatch(/Altogether about 13 min/);
  });

  it('names the context when somebody brings a cluster', () => {
    expect(describeForecast({ ...warm, context: 'kind-a' })).toMatch(/cluster +2 s +context kind-a/);
  });

  it('tells durations as people do', () => {
    expect([0, 0.4, 42.4, 99, 540].map(duration)).toEqual(['at once', 'at once', '42 s', '99 s', '9 min']);
  });
});
