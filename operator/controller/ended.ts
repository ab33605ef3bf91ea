// Which rollouts ended between two statuses: counted and traced once each, when the later one is stored.
import { isSame } from '../rollout/digest.ts';
import type { HistoryEntry, Status } from '../rollout/state.ts';

/** New lines of the history, the first to end first. One look may end two: a release makes way for another one that was aborted in advance. */
export const endedSince = ({ history: known = [] }: Status, { history = [] }: Status): HistoryEntry[] =>
  history.filter((entry) => !known.some((each) => isSame(each, entry))).reverse();
