// `status`: an AssistantDeployment and its pods as a tree. Pure: object, pods and the time in, lines out.
import type {
  AnalysisStatus,
  AssistantDeployment,
  AssistantDeploymentStatus,
  BlockedBy,
  DrainingStatus,
  SideStatus,
} from '@assistant-platform/api';
import { counted, underWay } from '@assistant-platform/api';
import type { PodRow } from '../pods.ts';
import { notTaken } from '../orders.ts';
import { paintPhase, type Paint } from './paint.ts';
import { printable } from './printable.ts';
import { stepsNode } from './steps.ts';
import { since, until } from './time.ts';
import { renderTree, type TreeNode } from './tree.ts';

/** What is shown. */
export interface StatusView {
  readonly object: AssistantDeployment;
  readonly pods: readonly PodRow[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The whole tree, one string a line. */
export function renderStatus(view: StatusView, paint: Paint): string[] {
  const shown = printable(view);
  const { object, now } = shown;
  const { metadata, status = {} } = object;
  const children = [
    ...messageNodes(object),
    releaseNode(object),
    weightNode(status, paint),
    stepsNode(object, now, paint),
    revisionNode('stable', status.stableRevision?.hash, 'stable', shown, paint),
    underWay(status) ? revisionNode('update', status.updateRevision?.hash, 'update', shown, paint) : null,
    group(
      'draining',
      (status.draining ?? []).map((entry) => drainingNode(entry, shown, paint)),
    ),
    group(
      'waits for',
      (status.blockedBy ?? []).map((entry) => waitNode(entry, now, paint)),
    ),
    group(
      'analysis',
      (status.analysis ?? []).map((entry) => analysisNode(entry, paint)),
    ),
    group(
      'flags',
      (status.flags ?? []).map(({ feature, rollout, state }) => ({ text: `${feature} ${rollout} % ${state}` })),
    ),
    abortNode(status, now, paint),
    lastRolloutNode(status, now),
  ].filter((node) => node !== null);
  const phase = paintPhase(paint, status.phase ?? 'Unknown');
  const where = paint.faint(`namespace ${metadata.namespace ?? 'default'}`);
  return renderTree({ text: `${paint.title(metadata.name)}  ${phase}  ${where}`, children });
}

/** The sentence of the status, and whether the operator has seen the latest spec. */
function messageNodes(object: AssistantDeployment): TreeNode[] {
  const { metadata, status } = object;
  const untaken = notTaken(object);
  const seen = status?.observedGeneration ?? 0;
  const wanted = metadata.generation ?? 0;
  return [
    ...(status?.message === undefined || status.message === '' ? [] : [{ text: status.message }]),
    ...(seen >= wanted ? [] : [{ text: unseen(seen, wanted) }]),
    ...(untaken === null ? [] : [{ text: `the operator ${untaken}` }]),
  ];
}

const unseen = (seen: number, wanted: number): string =>
  seen === 0
    ? 'the operator has not looked at it yet'
    : `the operator has seen generation ${seen} of ${wanted}: what follows is older than the spec`;

function releaseNode({ spec, status = {} }: AssistantDeployment): TreeNode {
  const { stableRevision, updateRevision } = status;
  const to = updateRevision?.release ?? spec.release ?? '';
  const from = underWay(status) && stableRevision !== undefined ? `${stableRevision.release} → ` : '';
  return {
    text: `release   ${from}${to}  ${spec.strategy.type}${spec.paused === true ? ', paused by spec.paused' : ''}`,
  };
}

const BAR = 20;

function weightNode(status: AssistantDeploymentStatus, paint: Paint): TreeNode | null {
  if (status.weight === undefined || !underWay(status)) return null;
  const { requested, routed, observed } = status.weight;
  const filled = Math.round((Math.min(100, Math.max(0, routed)) * BAR) / 100);
  const bar = `${paint.good('█'.repeat(filled))}${paint.faint('░'.repeat(BAR - filled))}`;
  const sessions = observed === undefined ? '' : `, ${observed} % of open sessions`;
  return { text: `weight    ${bar} ${routed} % routed of ${requested} % asked${sessions}` };
}

function revisionNode(
  title: string,
  hash: string | undefined,
  side: 'stable' | 'update',
  { object, pods, now }: StatusView,
  paint: Paint,
): TreeNode | null {
  if (hash === undefined) return null;
  const status = object.status ?? {};
  const release = side === 'stable' ? status.stableRevision?.release : status.updateRevision?.release;
  const children = Object.entries(status.components ?? {}).flatMap(([component, sides]) => {
    const counts = sides[side];
    if (counts === undefined) return [];
    const mine = pods.filter((pod) => pod.revision === hash && pod.component === component);
    return [{ text: `${component} ${describeSide(counts, paint)}`, children: podNodes(mine, now, paint) }];
  });
  return { text: `${title.padEnd(9)} ${hash}  ${release ?? ''}`, children };
}

function describeSide({ replicas, ready, sockets }: SideStatus, paint: Paint): string {
  const share = `${ready}/${replicas} ready`;
  return `${ready < replicas ? paint.wait(share) : paint.good(share)}, ${counted(sockets, 'socket')}`;
}

function podNodes(pods: readonly PodRow[], now: number, paint: Paint): TreeNode[] {
  return [...pods]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, ready, state, restarts, createdAt }) => {
      const restarted = restarts === 0 ? '' : paint.bad(`  ${counted(restarts, 'restart')}`);
      const age = paint.faint(`  ${since(createdAt, now)}`);
      return { text: `${ready ? paint.good('✔') : paint.wait('○')} ${name}  ${state}${restarted}${age}` };
    });
}

/** Pods are shown here where they have no place under stable or update. */
function drainingNode(entry: DrainingStatus, { object, pods, now }: StatusView, paint: Paint): TreeNode {
  const { hash, component, sockets, busy, deadline, forced } = entry;
  const left = until(deadline, now);
  const end = forced ? 'closed by force at the deadline' : left === null ? 'deadline reached' : `${left} left`;
  const { stableRevision, updateRevision } = object.status ?? {};
  const shown = hash === stableRevision?.hash || hash === updateRevision?.hash;
  const mine = shown ? [] : pods.filter((pod) => pod.revision === hash && pod.component === component);
  return {
    text: `${hash} ${component}: ${counted(sockets, 'socket')}, ${busy} busy, ${end}`,
    children: podNodes(mine, now, paint),
  };
}

function waitNode({ reason, message, since: start, nextCheckAt }: BlockedBy, now: number, paint: Paint): TreeNode {
  const next = nextCheckAt === undefined ? null : until(nextCheckAt, now);
  const look = next === null ? '' : `, next look in ${next}`;
  return { text: `${paint.wait(reason)}: ${message}${paint.faint(` (since ${since(start, now)}${look})`)}` };
}

function analysisNode(entry: AnalysisStatus, paint: Paint): TreeNode {
  const { metric, verdict, message, samples, checks, failures = 0, errors = 0 } = entry;
  const parts = [
    // The operator's own words say value, limit and comparison; those of an older one are put together here.
    ...(message === undefined ? measured(entry) : [message.replace(`${metric} `, '')]),
    ...(samples === undefined || message?.includes('samples') === true ? [] : [counted(samples, 'sample')]),
    ...(failures === 0
      ? []
      : [
          checks === undefined
            ? counted(failures, 'failed check')
            : `${failures} of ${counted(checks, 'check')} failed`,
        ]),
    ...(errors === 0 ? [] : [`${counted(errors, 'error')} of the source in a row`]),
  ];
  const good = verdict === 'Passing';
  const bad = verdict === 'Failing' || verdict === 'SourceError';
  const painted = good ? paint.good(verdict) : bad ? paint.bad(verdict) : paint.wait(verdict);
  return { text: `${metric} ${painted}: ${parts.join(', ')}` };
}

function measured({ value, stableValue, ratioLow, ratioHigh }: AnalysisStatus): string[] {
  return [
    value ?? 'no value yet',
    ...(stableValue === undefined ? [] : [`stable ${stableValue}`]),
    ...(ratioLow === undefined || ratioHigh === undefined ? [] : [`ratio ${ratioLow} to ${ratioHigh}`]),
  ];
}

function abortNode({ abort }: AssistantDeploymentStatus, now: number, paint: Paint): TreeNode | null {
  if (abort === undefined) return null;
  return { text: `${paint.bad('aborted')}   ${since(abort.at, now)} ago by ${abort.by}: ${abort.reason}` };
}

function lastRolloutNode(status: AssistantDeploymentStatus, now: number): TreeNode | null {
  const last = status.history?.[0];
  if (last === undefined || underWay(status)) return null;
  const { release, hash, outcome, startedAt, finishedAt } = last;
  const took = since(startedAt, Date.parse(finishedAt));
  return { text: `last      ${release} (${hash}) ${outcome} ${since(finishedAt, now)} ago, took ${took}` };
}

const group = (title: string, children: readonly TreeNode[]): TreeNode | null =>
  children.length === 0 ? null : { text: title, children };
