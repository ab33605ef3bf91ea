import type { EventInput } from '@assistant-platform/runtime';
import { silentLogger } from '@assistant-platform/runtime';
import { describe, expect, it } from 'vitest';
import type { Note } from '../rollout/decide.ts';
import type { Status } from '../rollout/state.ts';
import type { StoredAssistantDeployment } from './resources.ts';
import { eventsOf, Teller } from './telling.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const SUBJECT = { metadata: { name: 'support', namespace: 'here' } } as StoredAssistantDeployment;

const note = (reason: string, message: string, type: Note['type'] = 'Normal'): Note => ({ reason, message, type });
const wait = (reason: string, since = START) => ({ reason, message: 'm', since: new Date(since).toISOString() });
const waiting = (reason: string, since = START): Status => ({
  phase: 'Progressing',
  message: `waits for ${reason}`,
  blockedBy: [wait(reason, since)],
});

function teller() {
  const events: EventInput[] = [];
  const logged: unknown[][] = [];
  const log = { ...silentLogger, info: (...line: unknown[]) => void logged.push(line) };
  const made = new Teller({ record: (_subject, event) => void events.push(event) });
  const tell = (before: Status, after: Status, afterMs: number): string[] => {
    events.length = 0;
    made.tellWaits('here/support', SUBJECT, [before, after], START + afterMs, log);
    return events.map(({ reason }) => reason);
  };
  return { tell, events, logged };
}

describe('Events', () => {
  it('are one for all that one look led to, with the reason of what it ended in; warnings stay by themselves', () => {
    const events = eventsOf([
      note('WeightRouted', '20 % of new traffic goes to 2'),
      note('MetricFailing', 'too slow', 'Warning'),
      note('StepCompleted', 'step 1 of 4'),
    ]);
    expect(events).toEqual([
      { type: 'Normal', reason: 'StepCompleted', note: '20 % of new traffic goes to 2; step 1 of 4' },
      { type: 'Warning', reason: 'MetricFailing', note: 'too slow' },
    ]);
    expect(eventsOf([note('A', 'same'), note('B', 'same')])).toEqual([{ type: 'Normal', reason: 'B', note: 'same' }]);
    expect(eventsOf([])).toEqual([]);
  });

  it('tell of a wait when it begins, and not again after a restart', () => {
    const { tell } = teller();
    expect(tell({}, waiting('CanaryPauseStep'), 0)).toEqual(['CanaryPauseStep']);
    expect(tell(waiting('CanaryPauseStep'), waiting('CanaryPauseStep'), 1_000)).toEqual([]);
    expect(teller().tell(waiting('CanaryPauseStep'), waiting('CanaryPauseStep'), 60_000)).toEqual([]);
    expect(tell(waiting('CanaryPauseStep'), {}, 2_000)).toEqual([]);
  });

  it('tell of what every step waits for only when it lasts, and once', () => {
    const { tell } = teller();
    expect(tell({}, waiting('PodsNotReady'), 0)).toEqual([]);
    expect(tell(waiting('PodsNotReady'), waiting('PodsNotReady'), 9_999)).toEqual([]);
    expect(tell(waiting('PodsNotReady'), waiting('PodsNotReady'), 10_000)).toEqual(['PodsNotReady']);
    expect(tell(waiting('PodsNotReady'), waiting('PodsNotReady'), 11_500)).toEqual([]);
    expect(tell(waiting('PodsNotReady'), waiting('RouteSettling', START + 12_000), 12_500)).toEqual([]);
  });

  it('tell of every reason, each when it is new, with what it is about and in the log since when', () => {
    const { tell, events, logged } = teller();
    const nextCheckAt = new Date(START + 30_000).toISOString();
    const two: Status = {
      ...waiting('MetricFailing'),
      blockedBy: [{ ...wait('MetricFailing'), nextCheckAt }, wait('StableUnavailable')],
    };
    expect(tell(waiting('MetricFailing'), two, 0)).toEqual(['StableUnavailable']);
    expect(tell(two, { ...two, blockedBy: [wait('StableUnavailable')] }, 1000)).toEqual([]);
    expect(tell({}, two, 2000)).toEqual(['MetricFailing', 'StableUnavailable']);
    expect(events).toMatchObject([{ note: 'waits for MetricFailing' }, { note: 'm' }]);
    const since = new Date(START).toISOString();
    expect(logged.at(-2)).toMatchObject([{ reason: 'MetricFailing', since, nextCheckAt }, 'waits for MetricFailing']);
  });

  it('tell of a lasting wait beside others, and once', () => {
    const { tell } = teller();
    const both: Status = { ...waiting('CanaryPauseStep'), blockedBy: [wait('CanaryPauseStep'), wait('RouteSettling')] };
    expect(tell({}, both, 0)).toEqual(['CanaryPauseStep']);
    expect(tell(both, both, 10_000)).toEqual(['RouteSettling']);
    expect(tell(both, both, 11_000)).toEqual([]);
  });
});
