// Everything that can be said of an AssistantDeployment without a cluster: what the API server would refuse, and what will hurt one day.
import { InvalidSpecError, withDefaults, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { pathText } from '../schema.ts';
import { severityOf, type Finding } from './finding.ts';
import { practiceFindings } from './practice.ts';
import { referenceFindings } from './references.ts';
import { ruleFindings } from './rules.ts';
import { shapeFindings } from './shape.ts';

/** All findings, errors first, then by field. Pure. */
export function lintObject(object: Readonly<Record<string, unknown>>): Finding[] {
  const refused = distinct([...ruleFindings(object), ...referenceFindings(object), ...shapeFindings(object)]);
  const rank = { error: 0, warning: 1, info: 2 };
  return [...refused, ...advice(object)].sort(
    (a, b) => rank[severityOf(a)] - rank[severityOf(b)] || compare(pathText(a.path), pathText(b.path)),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One error a field: a rule says more than the shape that is broken by the same mistake. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    if (severityOf(finding) !== 'error') return true;
    const path = pathText(finding.path);
    if (seen.has(path)) return false;
    seen.add(path);
    return true;
  });
}

/** Advice needs a spec that can be read. */
function advice(object: Readonly<Record<string, unknown>>): Finding[] {
  try {
    return practiceFindings(withDefaults(object['spec'] as AssistantDeploymentSpec));
  } catch (error) {
    if (error instanceof InvalidSpecError) return []; // what is wrong with it has been found already
    throw error;
  }
}
