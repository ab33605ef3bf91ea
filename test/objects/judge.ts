// Puts drawn objects to a real API server and to the operator's decision, and says what is wrong with the answer.
import { isDeepStrictEqual } from 'node:util';
import { InvalidSpecError, withDefaults } from '@assistant-platform/api';
import {
  type ApiClient,
  ApiError,
  deployments,
  isRefusal,
  podDisruptionBudgets,
  type ResourceType,
  services,
} from '@assistant-platform/runtime';
import {
  assistantDeployments,
  controllerRevisions,
  type StoredAssistantDeployment,
} from '../../operator/controller/resources.ts';
import type { Manifest } from '../../operator/rollout/objects.ts';
import { withRefusal } from '../../operator/rollout/refusal.ts';
import { WorldRun } from '../../operator/rollout/worldRun.ts';
import { worldOf, installAndRest } from './model.ts';
import type { PodMistake } from './mistakes/kubernetes.ts';
import { assistantSchema, isJson, type Json, names, nodesOf, type Path, spell, withSchemaDefaults } from './schema.ts';

/** Who refused. */
export type Refuser = 'Schema' | 'Rule' | 'Decoder' | 'Operator' | 'Kubernetes';

/** What became of a mistake. `problem` null: it was refused, and named. */
export interface Verdict {
  readonly by: Refuser | null;
  /** The refusal points at the mistaken field itself, not at one that contains it. */
  readonly exact: boolean;
  readonly problem: string | null;
}

export interface Bench {
  readonly api: ApiClient;
  readonly namespace: string;
  /** Requests made so far. */
  requests: number;
}

const schema = assistantSchema();
const RULES = nodesOf(schema).flatMap(({ node }) =>
  (node['x-kubernetes-validations'] ?? []).map(({ message }) => message),
);

async function create(bench: Bench, object: Json): Promise<StoredAssistantDeployment> {
  const { api, namespace } = bench;
  bench.requests += 1;
  const metadata = { ...(object['metadata'] as Json), namespace };
  const draft = { ...object, metadata } as unknown as StoredAssistantDeployment;
  return api.create(assistantDeployments, draft, { dryRun: true, fieldValidation: 'Strict' });
}

/** A mistake of the schema or of a rule: the API server has to refuse it and to name the field. */
export async function judgeInvalid(bench: Bench, object: Json, path: Path): Promise<Verdict> {
  const survived = survivedBy(object);
  if (survived !== null) return { by: null, exact: false, problem: survived };
  try {
    await create(bench, object);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code >= 500) throw error;
    return verdictOf(error, spell(path));
  }
  return { by: null, exact: false, problem: `it was accepted, with a mistake at ${spell(path)}` };
}

function verdictOf({ causes, message }: ApiError, mistaken: string): Verdict {
  if (causes.length === 0) {
    const unknown = /unknown field "([^"]+)"/.exec(message)?.[1];
    // An object where a text belongs: what the decoder does not know is inside of the mistaken field.
    const inside = unknown !== undefined && names(mistaken, unknown);
    const named = inside || (unknown !== undefined && names(unknown, mistaken));
    return named ? { by: 'Decoder', exact: inside, problem: null } : unnamed(message, mistaken);
  }
  // A rule of the root has no field; the name of the object is all that it can be about.
  const own = causes.filter(
    ({ field = '' }) => names(field, mistaken) || (['', '<nil>'].includes(field) && mistaken === 'metadata.name'),
  );
  if (own.length === 0) return unnamed(message, mistaken);
  const byRule = own.some((cause) => RULES.some((rule) => cause.message?.includes(rule) === true));
  const exact = own.some(({ field = '' }) => names(field, mistaken) && !names(field, parentOf(mistaken)));
  return { by: byRule ? 'Rule' : 'Schema', exact, problem: null };
}

const parentOf = (field: string): string => field.replace(/(\.[^.[\]]+|\[\d+\])$/, '');
const unnamed = (message: string, mistaken: string): Verdict => ({
  by: null,
  exact: false,
  problem: `the refusal does not name ${mistaken}: ${message}`,
});

/** The operator may meet any of these, stored before a rule was there: it refuses the spec, or decides. @returns what went wrong instead. */
function survivedBy(object: Json): string | null {
  try {
    const metadata = isJson(object['metadata']) ? object['metadata'] : {};
    const world = worldOf({ metadata: { name: String(metadata['name']) }, spec: object['spec'] as never }, 'There');
    new WorldRun(world).settle();
    return null;
  } catch (error) {
    if (error instanceof InvalidSpecError)
      return error.problems.every((each) => each.path.startsWith('spec')) ? null : `no path in: ${error.message}`;
    return `the operator crashes on it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

const TYPES: Readonly<Record<string, ResourceType>> = {
  Deployment: deployments,
  Service: services,
  PodDisruptionBudget: podDisruptionBudgets,
  ControllerRevision: controllerRevisions,
};

/** Applies what the operator would apply, as a dry run. @returns the first refusal. */
async function refusalOf(bench: Bench, manifests: readonly Manifest[]): Promise<ApiError | null> {
  const { api, namespace } = bench;
  for (const manifest of manifests) {
    const type = TYPES[manifest.kind];
    if (type === undefined) throw new Error(`nobody knows how to apply a ${manifest.kind}`);
    const object = { ...manifest, metadata: { ...manifest.metadata, namespace } };
    bench.requests += 1;
    try {
      await api.apply(type, object as never, { dryRun: true });
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }
  return null;
}

/** A mistake that only shows when the pod is made: the API server takes the object, and the operator's status has to name it. */
export async function judgePodMistake(
  bench: Bench,
  object: Json,
  mistake: PodMistake,
  references: 'There' | 'Missing',
): Promise<Verdict> {
  const stored = await create(bench, object);
  const world = worldOf(stored, references);
  const applied: Manifest[] = [];
  const write = world.write.bind(world);
  world.write = (each, snapshot) => {
    if (each.kind === 'Apply') applied.push(each.object);
    write(each, snapshot);
  };
  new WorldRun(world).settle();
  const waits = (world.status.blockedBy ?? []).map(({ reason, message }) => `${reason}: ${message}`);
  if (references === 'Missing')
    return waits.some((wait) => wait.startsWith('ReferenceMissing') && mistake.named.test(wait))
      ? { by: 'Operator', exact: true, problem: null }
      : { by: null, exact: false, problem: `the status does not name it: ${waits.join('; ')}` };
  const refusal = await refusalOf(bench, applied);
  if (refusal === null) return { by: null, exact: false, problem: 'Kubernetes took everything that was made of it' };
  const { code, message } = refusal;
  if (!isRefusal(refusal))
    return {
      by: null,
      exact: false,
      problem: `the operator takes ${code} for something that passes: ${message}`,
    };
  const told = withRefusal(world.status, { reason: 'WriteRefused', message }, world.generation, world.now);
  const ready = told.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' && mistake.named.test(ready.message)
    ? { by: 'Kubernetes', exact: true, problem: null }
    : { by: null, exact: false, problem: `the status does not name it: ${ready?.message ?? 'no condition Ready'}` };
}

/** A valid object: taken, read back alike, installed to rest, and all that is made of it is taken too. @returns what is wrong. */
export async function judgeValid(bench: Bench, object: Json, applies: boolean): Promise<string[]> {
  let stored: StoredAssistantDeployment;
  try {
    stored = await create(bench, object);
  } catch (error) {
    if (error instanceof ApiError) return [`refused: ${error.message}`];
    throw error;
  }
  const problems: string[] = [];
  const filled = withSchemaDefaults(schema, JSON.parse(JSON.stringify(object))) as Json;
  if (!isDeepStrictEqual(stored.spec, filled['spec']))
    problems.push(
      `the API server stores another spec than the schema says:\n  ${JSON.stringify(stored.spec)}\n  ${JSON.stringify(filled['spec'])}`,
    );
  if (!isDeepStrictEqual(withDefaults(stored.spec), withDefaults(object['spec'] as StoredAssistantDeployment['spec'])))
    problems.push('what is stored reads otherwise than what was written');
  const rest = installAndRest(stored);
  problems.push(...rest.problems);
  const refusal = applies ? await refusalOf(bench, rest.applied) : null;
  if (refusal !== null) problems.push(`Kubernetes refuses what is made of it: ${refusal.message}`);
  return problems;
}
