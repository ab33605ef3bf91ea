// `history`: the rollouts that ended and the one that is under way, the latest first. Pure.
import { underWay, type AssistantDeployment, type HistoryEntry } from '@assistant-platform/api';
import type { RevisionRecord } from '../revisions.ts';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';
import { since } from './time.ts';

/** One rollout. */
export interface HistoryRow {
  readonly release: string;
  readonly hash: string;
  /** UnderWay while it is not over; null: it ended before the history that is kept begins. */
  readonly outcome: HistoryEntry['outcome'] | 'UnderWay' | null;
  /** RFC 3339. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** What the revision is now. */
  readonly mark: 'stable' | 'update' | null;
  /** Whether `undo --to` can go back to it: its record is there and holds the spec. Null: not known. */
  readonly undo: boolean | null;
}

/**
 * All rows.
 * @param records null where reading them is not allowed.
 */
export function historyRows(
  { status = {} }: AssistantDeployment,
  records: readonly RevisionRecord[] | null,
): HistoryRow[] {
  const { stableRevision, updateRevision, history = [], abort } = status;
  const undo = (hash: string): boolean | null => {
    if (hash === stableRevision?.hash && !underWay(status)) return false;
    return records?.some((record) => record.hash === hash && record.source !== null) ?? null;
  };
  const mark = (hash: string): HistoryRow['mark'] => {
    if (hash === stableRevision?.hash) return 'stable';
    return hash === updateRevision?.hash ? 'update' : null;
  };
  const present =
    updateRevision !== undefined && underWay(status) && abort === undefined
      ? [
          {
            ...updateRevision,
            outcome: 'UnderWay' as const,
            startedAt: updateRevision.startedAt ?? null,
            finishedAt: null,
          },
        ]
      : [];
  // A revision that came before the history begins, or was trimmed from it: it serves all the same.
  const unlisted =
    stableRevision !== undefined && !history.some(({ hash }) => hash === stableRevision.hash)
      ? [{ ...stableRevision, outcome: null, startedAt: stableRevision.startedAt ?? null, finishedAt: null }]
      : [];
  const seen = new Set<string>();
  return [...present, ...history, ...unlisted].map(({ release, hash, outcome, startedAt, finishedAt }) => {
    // The mark stands at the latest rollout of a revision only.
    const first = !seen.has(hash);
    seen.add(hash);
    return { release, hash, outcome, startedAt, finishedAt, mark: first ? mark(hash) : null, undo: undo(hash) };
  });
}

/** The table; a sentence when there is nothing yet. */
export function renderHistory(name: string, rows: readonly HistoryRow[], now: number): string[] {
  if (rows.length === 0) return [`${name} has no rollouts yet`];
  const cells = printable(rows).map(({ release, hash, outcome, startedAt, finishedAt, mark, undo }) => [
    release,
    hash,
    outcome ?? '-',
    finishedAt === null ? '-' : `${since(finishedAt, now)} ago`,
    startedAt === null
      ? '-'
      : since(startedAt, finishedAt === null ? now : Date.parse(finishedAt)) +
        (outcome === 'UnderWay' ? ' so far' : ''),
    undo === null ? '?' : undo ? 'yes' : 'no',
    mark === null ? '' : `← ${mark}`,
  ]);
  return renderTable(['RELEASE', 'HASH', 'OUTCOME', 'ENDED', 'TOOK', 'UNDO', ''], cells);
}
