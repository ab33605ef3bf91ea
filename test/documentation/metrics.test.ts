// What people look up is complete: every metric that the operator and the services register stands in docs/reference/metrics.md, and nothing else does. And
// what they copy works: no page names a metric or a label that is not there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Manager, type Registry, silentLogger } from '@assistant-platform/runtime';
import { MemoryApi } from '@assistant-platform/runtime/testing';
import { collectDefaultMetrics, Registry as PlainRegistry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { AssistantController } from '../../operator/controller/controller.ts';
import { createMetrics } from '../../services/kit/metrics.ts';
import { PAGES, textOf } from './pages.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8');
const named = new Set([...page.matchAll(/`([a-z][a-z0-9_]+)(?:\{[^`]*\})?`/g)].map(([, name]) => name ?? ''));

/** Labels of each metric, by its name, as it was registered. */
const labelsOf = (registry: Registry): ReadonlyMap<string, readonly string[]> =>
  new Map(
    registry
      .getMetricsAsArray()
      .map((metric) => [metric.name, (metric as unknown as { labelNames?: readonly string[] }).labelNames ?? []]),
  );

const namesOf = (registry: Registry): string[] => registry.getMetricsAsArray().map(({ name }) => name);

/** What Node.js and the process tell of themselves: families, not one by one. */
const ofTheProcess = ((): ReadonlySet<string> => {
  const registry = new PlainRegistry();
  collectDefaultMetrics({ register: registry });
  return new Set(namesOf(registry));
})();

function operatorRegistry(): Registry {
  const manager = new Manager({ name: 'assistant-operator', api: new MemoryApi(), logger: silentLogger });
  new AssistantController(manager, { settings: { settleMs: 2000 } });
  return manager.registry;
}
const operatorMetrics = (): string[] => namesOf(operatorRegistry());

const serviceRegistry = (): Registry => createMetrics({ component: 'chat', revision: 'aaaa' }).registry;
const serviceMetrics = (): string[] => namesOf(serviceRegistry());

describe('docs/reference/metrics.md', () => {
  it.each([
    ['the operator', operatorMetrics],
    ['the services', serviceMetrics],
  ])('names every metric of %s', (_whose, metrics) => {
    const own = metrics().filter((name) => !ofTheProcess.has(name));
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((name) => !named.has(name))).toEqual([]);
  });

  it('names no metric that nobody registers', () => {
    const all = new Set([...operatorMetrics(), ...serviceMetrics()]);
    const metrics = [...named].filter((name) =>
      /_(total|seconds|info|state|up|depth|objects|status|workers)$/.test(name),
    );
    expect(metrics.length).toBeGreaterThan(30);
    expect(metrics.filter((name) => !all.has(name))).toEqual([]);
  });

  it('gives the labels of the operator’s metrics as they are', () => {
    const given = [...page.matchAll(/`([a-z_]+)\{([a-z,]+)\}`/g)].map(([, name = '', labels = '']) => [name, labels]);
    const registered = labelsOf(operatorRegistry());
    expect(given.length).toBeGreaterThan(5);
    expect(given).toEqual(given.map(([name = '']) => [name, (registered.get(name) ?? ['no such metric']).join(',')]));
  });

  it('speaks of what the process tells of itself', () => {
    expect([...ofTheProcess].every((name) => /^(process|nodejs)_/.test(name))).toBe(true);
    expect(page).toContain('`process_*`');
    expect(page).toContain('`nodejs_*`');
  });
});

describe('every page', () => {
  const labels = new Map([...labelsOf(operatorRegistry()), ...labelsOf(serviceRegistry())]);
  const families = new Set([...labels.keys()].map((name) => /^(http_server|[a-z]+)/.exec(name)?.[0]));
  const metric = new RegExp(`\\b((?:${[...families].join('|')})_[a-z_]*[a-z])(?:\\{([^}]*)\\})?`, 'g');
  /** Of all series of a pod, and of the buckets of a histogram. */
  const ADDED = ['namespace', 'pod', 'component', 'revision', 'le'];

  it.each(PAGES.filter((name) => name !== 'CHANGELOG.md'))('%s names metrics and labels that are there', (name) => {
    const wrong = [...textOf(name).matchAll(metric)].flatMap(([whole, full = '', matchers = '']) => {
      const known = labels.get(full) ?? labels.get(full.replace(/_(bucket|count|sum)$/, ''));
      const used = [...matchers.replaceAll(/"[^"]*"/g, '').matchAll(/[a-z_]+/g)].map(([label]) => label);
      return known !== undefined && used.every((label) => [...known, ...ADDED].includes(label)) ? [] : [whole];
    });
    expect(wrong).toEqual([]);
  });
});
