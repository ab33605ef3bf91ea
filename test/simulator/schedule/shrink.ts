// From a failing schedule to a short one that fails alike: leave out what is not needed, then make what is left milder.
import type { Action } from './actions.ts';

/** Whether a schedule still fails in the way that is looked for. */
export type StillFails = (actions: readonly Action[]) => Promise<boolean>;

export interface Shrunk {
  readonly actions: readonly Action[];
  readonly tries: number;
}

/**
 * Delta debugging (Zeller and Hildebrandt, 2002) over the list of actions, then shorter waits and fewer repetitions.
 * @param mostTries how many schedules may be run for it.
 */
export async function shrink(actions: readonly Action[], stillFails: StillFails, mostTries = 120): Promise<Shrunk> {
  let best = actions;
  let tries = 0;
  const attempt = async (candidate: readonly Action[]): Promise<boolean> => {
    if (tries >= mostTries) return false;
    tries += 1;
    if (!(await stillFails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let chunk = Math.ceil(best.length / 2); chunk >= 1 && tries < mostTries; ) {
    const shorter = await leaveOut(best, chunk, attempt);
    if (!shorter) chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2);
  }
  for (let index = 0; index < best.length; index++) {
    for (const milder of milderThan(best[index])) await attempt(best.with(index, milder));
  }
  return { actions: best, tries };
}

async function leaveOut(actions: readonly Action[], chunk: number, attempt: StillFails): Promise<boolean> {
  for (let start = 0; start < actions.length; start += chunk) {
    if (await attempt([...actions.slice(0, start), ...actions.slice(start + chunk)])) return true;
  }
  return false;
}

function milderThan(action: Action | undefined): Action[] {
  switch (action?.do) {
    case 'wait':
      return action.ms > 50 ? [{ ...action, ms: Math.ceil(action.ms / 2) }] : [];
    case 'refuse':
    case 'lose':
      return action.times > 1 ? [{ ...action, times: 1 }] : [];
    case 'kill':
      return action.skewMs === 0 ? [] : [{ ...action, skewMs: 0 }];
    default:
      return [];
  }
}
