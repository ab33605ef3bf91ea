// `plan -f FILE`: what applying a manifest would do. Reads the cluster where there is one, and writes nothing.
import {
  withDefaults,
  type AssistantDeployment,
  type AssistantDeploymentSpec,
  type ObjectMeta,
} from '@assistant-platform/api';
import type { Assistants } from '../assistants.ts';
import { CommandError } from '../errors.ts';
import type { Io } from '../io.ts';
import { severityOf } from '../lint/finding.ts';
import { lintObject } from '../lint/lint.ts';
import { readManifests, type Manifest } from '../manifests.ts';
import { effectsOf, type Course, type Effects } from '../plan/effects.ts';
import { walkStages, type Stages } from '../plan/stages.ts';
import { readReferences } from '../references.ts';
import type { Paint } from '../render/paint.ts';
import { renderPlan, type PlanView } from '../render/plan.ts';
import { documentText } from '../render/printable.ts';
import { describeSteps } from '../render/steps.ts';
import { pathText } from '../schema.ts';
import { EXIT } from '../verdict.ts';

export interface PlanOptions {
  readonly files: readonly string[];
  readonly offline: boolean;
  readonly json: boolean;
}

/**
 * @param open the cluster, in the namespace that a manifest names.
 * @returns 1 when a manifest is refused, otherwise 0.
 */
export async function showPlan(
  open: (namespace?: string) => Promise<Assistants>,
  io: Io,
  paint: Paint,
  options: PlanOptions,
): Promise<number> {
  const { manifests, problems } = await readManifests(options.files, io.readStdin);
  const [problem] = problems;
  if (problem !== undefined) {
    throw new CommandError(
      'BadUsage',
      `${problem.file}:${problem.line}: ${problem.message}; kubectl assistant lint lists all problems`,
    );
  }
  const views: PlanView[] = [];
  for (const manifest of manifests) views.push(await planOf(manifest, open, options.offline));
  io.stdout.write(
    options.json
      ? `${documentText(views)}\n`
      : `${views.map((view) => renderPlan(view, paint).join('\n')).join('\n\n')}\n`,
  );
  return views.some(({ refused }) => refused.length > 0) ? EXIT.bad : EXIT.good;
}

async function planOf(
  manifest: Manifest,
  open: (namespace?: string) => Promise<Assistants>,
  offline: boolean,
): Promise<PlanView> {
  // Read as an object of ours from here on: what it lacks has been found by lint.
  const object = manifest.object as unknown as AssistantDeployment;
  const metadata = (object.metadata as ObjectMeta | undefined) ?? { name: '' };
  const head = { file: manifest.file, name: metadata.name, namespace: metadata.namespace ?? 'default' };
  const errors = lintObject(manifest.object).filter((finding) => severityOf(finding) === 'error');
  if (errors.length > 0) {
    const refused = errors.map(({ path, message, remedy }) => ({
      field: pathText(path),
      message: `${message}; ${remedy}`,
    }));
    return { ...blank(head), checkedBy: { kind: 'Offline', why: 'it has errors of its own' }, refused };
  }
  const looked = offline ? 'by --offline' : await look(object, metadata, open);
  if (typeof looked === 'string') {
    return {
      ...filled(head, object.spec),
      checkedBy: { kind: 'Offline', why: looked },
      effects: null,
      stages: stages(object, null, null),
    };
  }
  const { live, refused, effects, namespace } = looked;
  const view = { ...filled({ ...head, namespace }, object.spec), checkedBy: { kind: 'ApiServer' as const } };
  if (refused.length > 0) return { ...view, refused };
  const walked =
    effects.course.kind === 'NoNewRevision' || effects.course.kind === 'BackToStable'
      ? null
      : stages(object, live, effects.course);
  return { ...view, effects, stages: walked };
}

interface Looked {
  readonly namespace: string;
  readonly live: AssistantDeployment | null;
  readonly refused: PlanView['refused'];
  readonly effects: Effects;
}

/** Asks the cluster. @returns why it could not be asked, where going on without it makes sense. */
async function look(
  object: AssistantDeployment,
  { name, namespace }: ObjectMeta,
  open: (namespace?: string) => Promise<Assistants>,
): Promise<Looked | string> {
  try {
    const assistants = await open(namespace);
    const live = await assistants.find(name);
    const refused = await assistants.dryRun(object, live);
    const specs = [object.spec, ...(live === null ? [] : [live.spec])];
    const references = refused.length > 0 ? null : await readReferences(assistants.session, specs);
    return {
      namespace: assistants.session.namespace,
      live,
      refused,
      effects: effectsOf(object.spec, live, references),
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    switch (error.code) {
      case 'NoCluster':
        return 'no cluster is configured';
      case 'ClusterUnreachable':
        return 'the cluster does not answer';
      case 'NotInstalled':
        return 'the cluster does not know AssistantDeployments';
      case 'Forbidden':
        return 'the cluster does not allow a dry run';
      default:
        throw error;
    }
  }
}

function stages(object: AssistantDeployment, live: AssistantDeployment | null, course: Course | null): Stages {
  const release = withDefaults(object.spec);
  const first = course?.kind === 'FirstRelease';
  // Offline a rollout over a revision of the same size is shown: it is the case that the steps are written for.
  const assumed = Object.fromEntries(
    Object.entries(release.components).map(([name, { replicas }]) => [name, replicas]),
  );
  const stable = Object.fromEntries(
    Object.entries(live?.status?.components ?? {}).flatMap(([name, sides]) =>
      sides.stable === undefined ? [] : [[name, sides.stable.replicas]],
    ),
  );
  return walkStages({
    release,
    words: describeSteps(object),
    stable: course === null ? assumed : first ? null : stable,
    skipped: course?.kind === 'Rollout' && course.skipsSteps,
  });
}

type Head = Pick<PlanView, 'file' | 'name' | 'namespace'>;

const blank = (head: Head): Omit<PlanView, 'checkedBy' | 'refused'> => ({
  ...head,
  ...{ release: '', strategy: '', effects: null, stages: null, paused: false, drainMs: 0, autoscaled: [] },
});

function filled(head: Head, spec: AssistantDeploymentSpec): Omit<PlanView, 'checkedBy'> {
  const { release, strategy, paused, drain, components } = withDefaults(spec);
  return {
    ...blank(head),
    ...{ release, strategy: strategy.type, paused, drainMs: drain.deadlineMs, refused: [] },
    autoscaled: Object.entries(components).flatMap(([component, { autoscaling }]) =>
      autoscaling === null ? [] : [{ component, min: autoscaling.min, max: autoscaling.max }],
    ),
  };
}
