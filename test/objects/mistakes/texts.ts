// Mistakes in texts, by the CEL rules that stand on them: what a pattern does not allow, durations and decimals out of range, no quantity.
import type { StructuralSchema } from '../../../operator/api/crd/structural.ts';
import { formatDuration, parseDuration } from '../../../operator/api/durations.ts';
import { OPERATOR_VARIABLES } from '../../../operator/api/schema/podParts.ts';
import type { Chance } from '../../simulator/random.ts';
import { nodesOf, withValue, type Field, type Json } from '../schema.ts';
import type { Site } from './mistake.ts';

/** Texts that people mistype or paste, and some that only an attacker would write. */
const ODD = [
  '',
  ' ',
  'two words',
  ' leading',
  'trailing ',
  'UPPER',
  'Ümlaut',
  '漢字',
  '🚀',
  '-dash',
  'dash-',
  'a..b',
  '.',
  '..',
  '/',
  '//',
  'a//b',
  '/a//b',
  '/a b',
  'a/b',
  'https://example.com',
  'example.com:443',
  'a_b',
  '1d',
  '5',
  '-5s',
  '+5s',
  '1.5h',
  '5 s',
  '5m1h',
  '1e3',
  '1%',
  '0x10',
  '1,5',
  '1.',
  '.5',
  '--1',
  'NaN',
  'Infinity',
  '∞',
  'true',
  'null',
  "'; DROP TABLE",
  '${HOME}',
  '$(id)',
  '{{name}}',
  'a\nb',
  'a\n',
  '\ta',
  '*',
  '*.*',
  '**',
  '100.0.0',
  '1Zi',
  '1 Mi',
  'much',
  '1.5.2',
  '9starts',
  '=',
  'a=b',
];

interface Rule {
  readonly rule: string;
  readonly message: string;
}
type Break = (chance: Chance, value: string) => string | null;

/** All texts with rules. @throws Error naming a rule that nothing here knows how to break. */
export function textSites(root: StructuralSchema): Site[] {
  return nodesOf(root).flatMap(({ place, node }) => {
    const isText = node.type === 'string' || node['x-kubernetes-int-or-string'] === true;
    const rules = isText ? (node['x-kubernetes-validations'] ?? []) : [];
    return rules.map((rule, index) => textSite(place, node, rule, index));
  });
}

function textSite(place: string, node: StructuralSchema, rule: Rule, index: number): Site {
  const broken = breaking(place, rule);
  const most = node.maxLength ?? Infinity;
  return {
    kind: 'Rule',
    place,
    detail: `${index + 1}: ${rule.message}`,
    make: (chance: Chance, field: Field, object: Json) => {
      const value = broken(chance, String(field.value));
      if (value === null || value.length > most) return null;
      return { object: withValue(object, field.path, value), path: field.path };
    },
  };
}

function breaking(place: string, { rule }: Rule): Break {
  if (rule.includes('isQuantity'))
    return (chance) => chance.pick(['much', '-1', '-1Mi', '1 Mi', '1Zi', '', 'Mi', '1.5.2', '0x10', '1,5']);
  if (rule.startsWith('!(self in ')) return (chance) => chance.pick(OPERATOR_VARIABLES);
  if (rule.startsWith('!(size(self)')) return outsideOfDurations(rule);
  const pattern = /self\.matches\('((?:[^'\\]|\\.)*)'\)/.exec(rule)?.[1]?.replaceAll(/\\(.)/g, '$1');
  if (pattern === undefined) throw new Error(`${place}: nobody knows how to break the rule ${rule}`);
  const limits = [...rule.matchAll(/double\(self\) (>|>=|<) (-?[\d.]+)/g)].map(
    ([, sign, limit]) => [sign, Number(limit)] as const,
  );
  return (chance, value) => {
    const outside = limits.flatMap(([sign, limit]) =>
      sign === '<'
        ? [limit, limit + 0.5, 1e9]
        : sign === '>'
          ? [limit, limit - 0.5, -1e9]
          : [limit - 0.001, limit - 1e6],
    );
    const odd = chance.pick([...ODD, `${value} `, ` ${value}`, `${value}\n`, `${value}/ /`, `${value}é`]);
    const broken = outside.length > 0 && chance.happens(0.5) ? String(chance.pick(outside)) : odd;
    const outOfRange = limits.some(([sign, limit]) => {
      const number = Number(broken);
      return sign === '<' ? number >= limit : sign === '>' ? number <= limit : number < limit;
    });
    return new RegExp(pattern, 'u').test(broken) && !outOfRange ? null : broken;
  };
}

function outsideOfDurations(rule: string): Break {
  const limits = [...rule.matchAll(/duration\('([^']+)'\)/g)].map(([, limit]) => parseDuration(limit ?? ''));
  const [least = 0, most = 0] = limits;
  return (chance) => {
    const above = [most + 1, most + 1000, most * 2 + chance.integer(0, 1_000_000)];
    const value = chance.pick(least > 0 ? [0, least - 1, ...above] : above);
    return chance.happens(0.1) ? '999999h999999m' : formatDuration(value);
  };
}
