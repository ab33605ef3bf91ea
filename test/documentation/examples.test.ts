// The manifests in our pages are good ones: a whole one passes `kubectl assistant lint` without a word, a part of a spec without an error.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { lintObject } from '../../operator/cli/lint/lint.ts';
import { severityOf, type Finding } from '../../operator/cli/lint/finding.ts';
import { parseManifests } from '../../operator/cli/manifests.ts';
import { blocksOf, PAGES, ROOT } from './pages.ts';

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const examples = PAGES.flatMap((page) => blocksOf(page, 'yaml').map((block) => ({ page, block })));
const first = ({ block }: { readonly block: string }): string => block.split('\n', 1)[0] ?? '';
const manifests = examples.filter(({ block }) => block.includes('kind: AssistantDeployment'));
const parts = examples.filter(({ block }) => block.startsWith('spec:'));
const values = examples.filter((example) => first(example).startsWith('# values.yaml'));

const said = (findings: readonly Finding[]): string[] =>
  findings.map(({ path, message }) => `${path.join('.')}: ${message}`);

/** What a part of a spec leaves out. */
const REST = {
  components: { chat: { image: 'localhost/assistant/chat:1.0.0' } },
  gateway: { parentRef: { name: 'public' } },
};

/** The part, with what it leaves out: members of a canary's strategy may stand alone. */
function completed(part: Plain): Plain {
  const { strategy = {} } = part as { readonly strategy?: Plain };
  const { type = 'Canary', canary = {} } = strategy as { readonly type?: string; readonly canary?: Plain };
  const steps = [{ setWeight: 10 }, { pause: {} }];
  return {
    ...REST,
    ...part,
    strategy: { type, ...strategy, ...(type === 'Canary' ? { canary: { steps, ...canary } } : {}) },
  };
}

describe('manifests', () => {
  it('are of a kind that is looked at here', () => {
    expect(examples.filter((each) => ![...manifests, ...parts, ...values].includes(each))).toEqual([]);
    expect(manifests.length).toBeGreaterThan(0);
    expect(parts.length).toBeGreaterThan(3);
  });

  it.each(manifests)('a whole one in $page', ({ page, block }) => {
    const read = parseManifests(page, block);
    expect(read.problems).toEqual([]);
    expect(read.manifests.flatMap(({ object }) => said(lintObject(object)))).toEqual([]);
  });

  it.each(parts)('a part in $page', ({ block }) => {
    const { spec } = parse(block) as { readonly spec: Plain };
    const object = {
      apiVersion: 'assistant-platform.io/v1alpha1',
      kind: 'AssistantDeployment',
      metadata: { name: 'support' },
      spec: completed(spec),
    };
    expect(said(lintObject(object).filter((finding) => severityOf(finding) === 'error'))).toEqual([]);
  });

  it.each(values)('values of the chart in $page', ({ block }) => {
    const there = parse(readFileSync(join(ROOT, 'charts/operator/values.yaml'), 'utf8')) as Plain;
    const keys = (value: unknown, path = ''): string[] =>
      isPlain(value)
        ? Object.entries(value).flatMap(([key, inner]) => [`${path}${key}`, ...keys(inner, `${path}${key}.`)])
        : [];
    expect(keys(parse(block)).filter((key) => !keys(there).includes(key))).toEqual([]);
  });
});
