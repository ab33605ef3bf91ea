// Lists that are the beginning of a watch (KEP-3157).
import { describe, expect, it } from 'vitest';
import { Harness, pod, quick } from '../testing/informer-harness.ts';
import { hangUp, listPage, refuse } from '../testing/scripted-server.ts';
import type { WatchTuning } from './watcher.ts';

const start = (tuning: Partial<WatchTuning> = {}) =>
  Harness.start({ tuning: { ...quick, streamedLists: true, ...tuning } });

describe('Informer, with streamed lists', () => {
  it('takes in what there is, is synced at its end, and goes on with the same watch', async () => {
    await using harness = await start();
    const watch = await harness.watched();
    for (let each = 0; each < 25; each += 1) watch.send('ADDED', pod(`p${each}`, each + 1));
    await harness.until(() => harness.changes.length === 20);
    expect(harness.informer.synced).toBe(false);
    watch.initialEventsEnd('30');
    await harness.informer.whenSynced();
    expect(harness.changes).toHaveLength(25);
    expect(harness.changes.at(-1)).toBe('Added p24@25 initial');
    watch.send('ADDED', pod('later', 31)).send('DELETED', pod('p0', 32));
    await harness.until(() => harness.changes.length === 27);
    expect(harness.changes.slice(25)).toEqual(['Added later@31', 'Deleted p0@32']);
    expect(harness.server.requests.map(({ query }) => query.get('sendInitialEvents'))).toEqual(['true']);
  });

  it('goes on from where that watch ends, without a new list', async () => {
    await using harness = await start();
    const first = await harness.watched();
    first.send('ADDED', pod('a', 1)).initialEventsEnd('10').bookmark('25').end();
    const second = await harness.watched();
    second.cut();
    await harness.watched();
    expect(harness.server.of('watch').map(({ query }) => query.get('resourceVersion'))).toEqual([null, '25', '25']);
    expect(harness.server.of('list')).toEqual([]);
  });

  it('takes in what changes before the end, and forgets what went meanwhile', async () => {
    await using harness = await start();
    const first = await harness.watched();
    first.send('ADDED', pod('gone', 1)).send('ADDED', pod('a', 2)).send('ADDED', pod('b', 3)).initialEventsEnd('10');
    await harness.informer.whenSynced();
    first.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    const second = await harness.watched();
    second.send('ADDED', pod('a', 2)).send('ADDED', pod('b', 3)).send('ADDED', pod('c', 12));
    second.send('DELETED', pod('b', 13)).send('MODIFIED', pod('a', 14)).bookmark('15').initialEventsEnd('16');
    await harness.until(() => harness.changes.length === 7);
    expect(harness.versions()).toEqual({ a: '14', c: '12' });
    expect(harness.changes.slice(3)).toEqual(['Added c@12', 'Deleted b@13', 'Updated a@14 from 2', 'Deleted gone@1']);
  });

  it('begins anew when it breaks before the end, and does not take what came for all there is', async () => {
    await using harness = await start();
    harness.server.on('watch', hangUp, refuse(429, 'TooManyRequests', { 'retry-after': '0' }));
    const broken = await harness.watched();
    for (let each = 0; each < 10; each += 1) broken.send('ADDED', pod(`p${each}`, each + 1));
    await harness.until(() => harness.changes.length === 10);
    broken.cut();
    const whole = await harness.watched();
    expect(harness.informer.synced).toBe(false);
    whole.send('ADDED', pod('p0', 1)).initialEventsEnd('20');
    await harness.informer.whenSynced();
    expect(harness.versions()).toEqual({ p0: '1' });
    expect(harness.log.filter((line) => line.includes('cannot list pods'))).toHaveLength(3);
    expect(harness.server.of('list')).toEqual([]);
  });

  it.each([
    ['refuses that', refuse(422, 'Invalid')],
    ['ends it before all was sent', (_: unknown, response: { end: (text: string) => void }) => response.end(added)],
  ])('lists by pages where the server %s, and asks it again at the next list', async (_, answer) => {
    await using harness = await start();
    harness.server.on('watch', answer);
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    const first = await harness.watched();
    expect(harness.versions()).toEqual({ a: '1' });
    harness.server.on('watch', answer);
    harness.server.on('list', listPage([pod('a', 1), pod('b', 12)], '14'));
    first.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    await harness.watched();
    expect(harness.versions()).toEqual({ a: '1', b: '12' });
    expect(harness.server.of('watch').map(({ query }) => query.get('resourceVersion'))).toEqual([
      null,
      '10',
      null,
      '14',
    ]);
  });

  it('lists by pages where the server does not come to the end of it', async () => {
    await using harness = await start({ idleTimeoutMs: 30 });
    const endless = await harness.watched();
    endless.send('ADDED', pod('a', 1));
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    await harness.watched();
    expect(harness.versions()).toEqual({ a: '1' });
    expect(harness.log.filter((line) => line.includes('nothing came for 30 ms'))).toHaveLength(1);
  });
});

const added = `${JSON.stringify({ type: 'ADDED', object: pod('a', 1) })}\n`;
