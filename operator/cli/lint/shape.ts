// Whether an object has the shape that the API server takes: types, ranges, required fields, unknown fields, entries given twice.
import { API_VERSION, InvalidSpecError, withDefaults, type AssistantDeploymentSpec } from '@assistant-platform/api';
import { describeField, shapeProblems, type Path } from '../schema.ts';
import type { Finding } from './finding.ts';

type Loose = Readonly<Record<string, unknown>>;

/** All problems of shape. */
export function shapeFindings(object: Loose): Finding[] {
  const version: Finding[] =
    object['apiVersion'] === API_VERSION
      ? []
      : [
          {
            code: 'Version',
            path: ['apiVersion'],
            message: `apiVersion is ${JSON.stringify(object['apiVersion'] ?? null)}`,
            remedy: `write ${API_VERSION}`,
          },
        ];
  const shape = shapeProblems(object).map(({ kind, path, message, remedy }) => ({ code: kind, path, message, remedy }));
  return [...version, ...shape, ...specFindings(object)];
}

function specFindings(object: Loose): Finding[] {
  const { spec } = object;
  if (spec === undefined || spec === null) {
    return [
      {
        code: 'Schema',
        path: ['spec'],
        message: 'spec is missing',
        remedy: 'write a spec with components, gateway and strategy',
      },
    ];
  }
  try {
    withDefaults(spec as AssistantDeploymentSpec);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return error.problems
      .filter(({ message }) => !message.startsWith('spec.metrics does not declare')) // references.ts names the very entry
      .map(({ path, message }) => schemaFinding(parsePath(path), message));
  }
}

/** From a message of the schema library to one for people. */
function schemaFinding(path: Path, message: string): Finding {
  const found = /^Invalid input: expected (.+), received (.+)$/.exec(message);
  if (found !== null) {
    const [, expected = '', received = ''] = found;
    const said = describeField(path);
    return {
      code: 'Schema',
      path,
      message: received === 'undefined' ? 'it is missing' : `it is ${article(received)}`,
      remedy: `write ${article(expected === 'record' ? 'object' : expected)}${said === null ? '' : `: ${said}`}`,
    };
  }
  const option = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (option !== undefined) {
    const values = option.replaceAll('"', '').split('|');
    return { code: 'Schema', path, message: 'it is none of the allowed values', remedy: `write ${values.join(', ')}` };
  }
  const limit = /^(Too (?:big|small)): expected \S+ to (?:be|have) (.+)$/.exec(message);
  if (limit !== null) {
    return { code: 'Schema', path, message: (limit[1] ?? '').toLowerCase(), remedy: `write ${bound(limit[2] ?? '')}` };
  }
  const [what = message, ...rest] = message.split(': ');
  return rest.length === 0
    ? { code: 'Schema', path, message: 'it has another form', remedy: message }
    : { code: 'Schema', path, message: what, remedy: rest.join(': ') };
}

const bound = (text: string): string =>
  text.replace('>=', 'at least ').replace('<=', 'at most ').replace('>', 'more than ').replace('<', 'less than ');

const article = (word: string): string => (/^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`);

/** Reads a path as InvalidSpecError writes it. */
function parsePath(text: string): Path {
  return [...text.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
}
