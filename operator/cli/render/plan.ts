// `plan`: what a manifest would do, as text. Pure.
import { formatDuration } from '@assistant-platform/api';
import { describeChange } from '../changes.ts';
import type { Course, Effect, Effects } from '../plan/effects.ts';
import type { Stages } from '../plan/stages.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';

/** What `plan` says of one manifest. */
export interface PlanView {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  readonly release: string;
  readonly strategy: string;
  /** `ApiServer`: it was asked (dry run). `Offline`: with the reason. */
  readonly checkedBy: { readonly kind: 'ApiServer' } | { readonly kind: 'Offline'; readonly why: string };
  /** What is refused: field and message. When there is any, the rest is null. */
  readonly refused: readonly { readonly field: string; readonly message: string }[];
  /** Null offline: what would change is not known. */
  readonly effects: Effects | null;
  readonly stages: Stages | null;
  readonly paused: boolean;
  /** Milliseconds that the old revision may keep its sessions. */
  readonly drainMs: number;
  /** Components whose number of pods is a lower bound: they scale by themselves. */
  readonly autoscaled: readonly { readonly component: string; readonly min: number; readonly max: number }[];
}

const EFFECT: Readonly<Record<Effect, string>> = {
  NewRevision: 'new revision',
  Scales: 'scales, no new revision',
  Routes: 'routes are written anew at once',
  RestartsSteps: 'the rollout under way begins again at its first step',
  Label: 'a label only',
  Settings: 'taken up at once, no new revision',
};

/** The whole answer, one string a line. */
export function renderPlan(given: PlanView, paint: Paint): string[] {
  const view = printable(given);
  const { name, namespace, release, strategy, refused, effects, stages } = view;
  const title = paint.title(`${name} in ${namespace}: release ${release === '' ? '(no label)' : release}, ${strategy}`);
  if (refused.length > 0) {
    return [
      title,
      ...refused.map(({ field, message }) => `${paint.bad('refused')} ${field === '' ? '' : `${field}: `}${message}`),
    ];
  }
  return [
    title,
    view.checkedBy.kind === 'ApiServer'
      ? 'the API server would take it (dry run); nothing was written'
      : `checked without a cluster (${view.checkedBy.why}): by the schema, without the API server's own rules (CEL). What would change is not known; the steps assume a stable revision of the same size`,
    ...(effects === null ? [] : ['', ...courseLines(effects.course, view, paint), ...changeLines(effects)]),
    ...(stages === null ? [] : ['', ...stageLines(stages, view, paint)]),
  ];
}

function courseLines(course: Course, { paused }: PlanView, paint: Paint): string[] {
  const later = paused ? ` ${paint.wait('It waits: spec.paused is true.')}` : '';
  return [`${courseText(course)}${later}`];
}

function courseText(course: Course): string {
  switch (course.kind) {
    case 'FirstRelease':
      return 'A first release: it takes no steps.';
    case 'NoNewRevision':
      return `No new revision${course.hash === null ? '' : ` (${course.hash} stays)`}: no pod is replaced.`;
    case 'BackToStable':
      return `Back to the stable revision ${course.hash}: release ${course.replaces} is taken back, all traffic returns in one change of the route.`;
    case 'Rollout': {
      const named = course.hash === null ? 'A new revision' : `New revision ${course.hash}`;
      const replaces =
        course.replaces === null
          ? ''
          : ` Release ${course.replaces}, which is under way, gives way first: its traffic goes back.`;
      return course.skipsSteps
        ? `${named}. It was stable before and lies within the rollbackWindow: the steps are skipped.${replaces}`
        : `${named}, through the steps of the strategy.${replaces}`;
    }
  }
}

const MOST_CHANGES = 40;

function changeLines({ changes }: Effects): string[] {
  if (changes.length === 0) return [];
  const lines = changes.map((change) => `  spec.${describeChange(change)}  (${EFFECT[change.effect]})`);
  return lines.length <= MOST_CHANGES
    ? lines
    : [...lines.slice(0, MOST_CHANGES), `  … ${lines.length - MOST_CHANGES} more changes`];
}

function stageLines({ rows, peak, atLeastMs, waitsForPerson }: Stages, view: PlanView, paint: Paint): string[] {
  const components = Object.keys(rows[0]?.pods ?? {});
  const first = rows.findIndex(({ total }) => total === peak);
  const table = renderTable(
    ['STEP', 'WHAT', 'WEIGHT', ...components.map((component) => component.toUpperCase()), 'PODS'],
    rows.map(({ step, text, weight, pods, total }, index) => [
      step === null ? '' : String(step),
      text,
      `${weight} %`,
      ...components.map((component) => `${pods[component]?.stable ?? 0} + ${pods[component]?.update ?? 0}`),
      `${total}${index === first ? ' ← peak' : ''}`,
    ]),
  );
  const [header = '', ...lines] = table;
  const times = [
    ...(atLeastMs > 0 ? [`at least ${formatDuration(atLeastMs)} of pauses and analyses`] : []),
    ...(waitsForPerson.length > 0 ? [`waits for a person at step ${waitsForPerson.join(', ')} (promote)`] : []),
    ...(rows.length > 1 ? [`sessions of the old revision have ${formatDuration(view.drainMs)} to leave`] : []),
  ];
  const bounds = view.autoscaled.map(
    ({ component, min, max }) =>
      `${component} is autoscaled: counted with its min, ${min}; each revision may have ${max}`,
  );
  return [
    paint.faint(header),
    ...lines,
    `pods: stable + new, ${peak} at most`,
    ...(times.length === 0 ? [] : [times.join('; ')]),
    ...bounds,
  ];
}
