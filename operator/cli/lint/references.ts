// Names that analyses and steps refer to: metrics and features that nobody declared, and declared ones that nobody uses.
import { nearest } from '../spelling.ts';
import type { Path } from '../schema.ts';
import type { Finding } from './finding.ts';

type Plain = Readonly<Record<string, unknown>>;
const plain = (value: unknown): Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Plain) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

interface Reference {
  readonly name: string;
  readonly path: Path;
}

/** All findings about names. Works on objects of any shape: what is not there refers to nothing. */
export function referenceFindings(object: Plain): Finding[] {
  const spec = plain(object['spec']);
  const metrics = declared(spec['metrics'], 'name', ['spec', 'metrics']);
  const flags = declared(spec['flags'], 'feature', ['spec', 'flags']);
  const strategy = plain(spec['strategy']);
  const usedMetrics = metricReferences(strategy);
  const usedFlags = flagReferences(strategy);
  return [
    ...unknown('UndefinedMetric', usedMetrics, metrics, 'spec.metrics declares no metric'),
    ...unknown('UndefinedFlag', usedFlags, flags, 'spec.flags declares no feature'),
    ...metrics
      .filter(({ name }) => !usedMetrics.some((used) => used.name === name))
      .map(({ name, path }) => ({
        code: 'UnusedMetric' as const,
        path,
        message: `no analysis looks at ${name}`,
        remedy: 'name it in an analysis, or remove it',
      })),
    ...flags
      .filter(({ name, path }) => followsSteps(spec, path) && !usedFlags.some((used) => used.name === name))
      .map(({ name, path }) => ({
        code: 'UnusedFlag' as const,
        path,
        message: `${name} follows steps, and no setFlag step moves it`,
        remedy: 'add a setFlag step, or write follow: Weight',
      })),
  ];
}

function declared(entries: unknown, key: string, path: Path): Reference[] {
  return list(entries).flatMap((entry, index) => {
    const name = plain(entry)[key];
    return typeof name === 'string' ? [{ name, path: [...path, index] }] : [];
  });
}

function followsSteps(spec: Plain, path: Path): boolean {
  const index = path.at(-1);
  return typeof index === 'number' && plain(list(spec['flags'])[index])['follow'] === 'Steps';
}

function metricReferences(strategy: Plain): Reference[] {
  const canary = plain(strategy['canary']);
  const blueGreen = plain(strategy['blueGreen']);
  const at = (analysis: unknown, path: Path): Reference[] =>
    list(plain(analysis)['metrics']).flatMap((name, index) =>
      typeof name === 'string' ? [{ name, path: [...path, 'metrics', index] }] : [],
    );
  const base = ['spec', 'strategy'];
  return [
    ...list(canary['steps']).flatMap((step, index) =>
      at(plain(step)['analysis'], [...base, 'canary', 'steps', index, 'analysis']),
    ),
    ...at(canary['analysis'], [...base, 'canary', 'analysis']),
    ...(['prePromotion', 'postPromotion'] as const).flatMap((member) =>
      at(blueGreen[member], [...base, 'blueGreen', member]),
    ),
  ];
}

function flagReferences(strategy: Plain): Reference[] {
  return list(plain(strategy['canary'])['steps']).flatMap((step, index) => {
    const { feature } = plain(plain(step)['setFlag']);
    const path = ['spec', 'strategy', 'canary', 'steps', index, 'setFlag', 'feature'];
    return typeof feature === 'string' ? [{ name: feature, path }] : [];
  });
}

function unknown(
  code: 'UndefinedMetric' | 'UndefinedFlag',
  used: readonly Reference[],
  known: readonly Reference[],
  words: string,
): Finding[] {
  const names = known.map(({ name }) => name);
  return used
    .filter(({ name }) => !names.includes(name))
    .map(({ name, path }) => {
      const meant = nearest(name, names);
      const there = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`;
      return {
        code,
        path,
        message: `${words} ${name}`,
        remedy: meant === null ? `declare it, or correct the name; ${there}` : `did you mean ${meant}?`,
      };
    });
}
