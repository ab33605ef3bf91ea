// `sockets`: open sessions by revision and component, live and draining, with what is still left of the drain's time. Pure.
import type { AssistantDeployment } from '@assistant-platform/api';
import type { PodSessions } from '../sessions.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';
import { span, until } from './time.ts';

/** Sessions of one component in one revision. */
export interface SocketRow {
  readonly revision: string;
  readonly release: string;
  readonly component: string;
  readonly role: 'stable' | 'update' | 'draining';
  /** Pods that answered, of those that run; null where the pods could not be asked. */
  readonly pods: { readonly answered: number; readonly running: number } | null;
  readonly open: number;
  /** In the middle of an answer; null: not known. */
  readonly busy: number | null;
  readonly oldestSeconds: number | null;
  /** RFC 3339: when what is still open is closed. */
  readonly deadline: string | null;
  readonly forced: boolean;
}

/** All of it. */
export interface SocketsView {
  readonly name: string;
  readonly namespace: string;
  /** `Pods`: asked just now. `Status`: what the operator wrote last. */
  readonly source: 'Pods' | 'Status';
  /** Why a pod's sessions are missing, one sentence each. */
  readonly gaps: readonly string[];
  readonly rows: readonly SocketRow[];
}

/**
 * Joins the status and what the pods say.
 * @param answers null where reading pods is not allowed. When the pod proxy is not allowed either, the status counts.
 */
export function socketsView(object: AssistantDeployment, answers: readonly PodSessions[] | null): SocketsView {
  const { metadata, status = {} } = object;
  const forbidden = answers?.some(({ answer }) => answer.kind === 'Forbidden') ?? true;
  const asked = forbidden ? null : answers;
  const { stableRevision, updateRevision, draining = [] } = status;
  const rows = new Map<string, SocketRow>();
  const add = (row: SocketRow): void => {
    rows.set(`${row.revision}/${row.component}`, row);
  };
  const releaseOf = (hash: string): string =>
    [stableRevision, updateRevision, ...(status.history ?? [])].find((each) => each?.hash === hash)?.release ?? '';
  const blank = { pods: null, busy: null, oldestSeconds: null, deadline: null, forced: false } as const;

  for (const [component, sides] of Object.entries(status.components ?? {})) {
    for (const role of ['stable', 'update'] as const) {
      const revision = (role === 'stable' ? stableRevision : updateRevision)?.hash;
      const open = sides[role]?.sockets;
      // At rest update is stable under another name.
      if (revision === undefined || open === undefined || rows.has(`${revision}/${component}`)) continue;
      if (role === 'update' && status.abort !== undefined && open === 0) continue;
      add({ ...blank, revision, release: releaseOf(revision), component, role, open });
    }
  }
  for (const { hash, component, sockets, busy, deadline, forced } of draining) {
    const drain = { open: sockets, busy, deadline, forced, role: 'draining' as const };
    add({ ...blank, ...drain, revision: hash, release: releaseOf(hash), component });
  }
  for (const group of grouped(asked ?? [])) {
    const [first] = group;
    if (first === undefined) continue;
    const key = `${first.revision}/${first.component}`;
    const { revision, component } = first;
    const before = rows.get(key) ?? {
      ...blank,
      ...{ revision, release: releaseOf(revision), component, role: roleOf(revision, object) },
    };
    rows.set(key, { ...before, ...totals(group) });
  }
  const order = { stable: 0, update: 1, draining: 2 };
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    source: asked === null ? 'Status' : 'Pods',
    gaps: forbidden
      ? ['the pods may not be asked (needs get on pods/proxy): this is what the operator wrote last']
      : (answers ?? []).flatMap(gap),
    rows: [...rows.values()].sort(
      (a, b) =>
        order[a.role] - order[b.role] ||
        (a.revision === b.revision ? compare(a.component, b.component) : compare(a.revision, b.revision)),
    ),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function roleOf(revision: string, { status = {} }: AssistantDeployment): SocketRow['role'] {
  if (revision === status.stableRevision?.hash) return 'stable';
  return revision === status.updateRevision?.hash && status.abort === undefined ? 'update' : 'draining';
}

const grouped = (answers: readonly PodSessions[]): PodSessions[][] => [
  ...Map.groupBy(answers, ({ revision, component }) => `${revision}/${component}`).values(),
];

function totals(group: readonly PodSessions[]): Pick<SocketRow, 'pods' | 'open' | 'busy' | 'oldestSeconds'> {
  const known = group.map(({ answer }) => answer).filter((answer) => answer.kind === 'Known');
  const ages = known.flatMap(({ oldestSeconds, open }) =>
    oldestSeconds === null || open === 0 ? [] : [oldestSeconds],
  );
  return {
    pods: { answered: known.length, running: group.length },
    open: known.reduce((sum, { open }) => sum + open, 0),
    busy: known.reduce((sum, { busy }) => sum + busy, 0),
    oldestSeconds: ages.length === 0 ? null : Math.max(...ages),
  };
}

function gap({ pod, answer }: PodSessions): string[] {
  switch (answer.kind) {
    case 'Unknown':
      return [`${pod} did not say: ${answer.why}`];
    case 'Unsupported':
      return [`${pod} has no admin port: its sessions cannot be counted, it drains by time`];
    case 'Known':
    case 'Forbidden':
      return [];
  }
}

/** A table, its sum, and what is missing from it. */
export function renderSockets(view: SocketsView, now: number, paint: Paint): string[] {
  const { name, namespace, rows, gaps } = printable(view);
  if (rows.length === 0) return [`${name} has no pods with sessions yet`, ...gaps];
  const table = renderTable(
    ['REVISION', 'RELEASE', 'ROLE', 'COMPONENT', 'PODS', 'OPEN', 'BUSY', 'OLDEST', 'TIME LEFT'],
    rows.map(({ revision, release, role, component, pods, open, busy, oldestSeconds, deadline, forced }) => [
      revision,
      release,
      role,
      component,
      pods === null ? '-' : pods.answered === pods.running ? String(pods.running) : `${pods.answered}/${pods.running}`,
      String(open),
      busy === null ? '-' : String(busy),
      oldestSeconds === null ? '-' : span(oldestSeconds * 1000),
      timeLeft(deadline, forced, now),
    ]),
  );
  const total = rows.reduce((sum, { open }) => sum + open, 0);
  const leaving = rows.filter(({ role }) => role === 'draining').reduce((sum, { open }) => sum + open, 0);
  const drains = leaving === 0 ? '' : `, of these ${leaving} on revisions that leave`;
  return [
    paint.title(`${name} in ${namespace}: ${total} open ${total === 1 ? 'session' : 'sessions'}${drains}`),
    ...table,
    ...gaps.map((text) => paint.wait(text)),
  ];
}

function timeLeft(deadline: string | null, forced: boolean, now: number): string {
  if (deadline === null) return '-';
  if (forced) return 'closed by force';
  return until(deadline, now) ?? 'deadline reached';
}
