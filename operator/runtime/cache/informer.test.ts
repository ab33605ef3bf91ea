import { describe, expect, it } from 'vitest';
import { described, Harness, pod, quick } from '../testing/informer-harness.ts';
import { hangUp, json, listPage, refuse } from '../testing/scripted-server.ts';
import { defaultWatchTuning } from './watcher.ts';

describe('Informer', () => {
  it('lists by pages, then watches from there, and tells of every change with what was before', async () => {
    await using harness = await Harness.start({ tuning: { ...quick, pageSize: 2 } });
    harness.server.on('list', listPage([pod('a', 1), pod('b', 2)], '10', 'more'), listPage([pod('c', 3)], '10'));
    const watch = await harness.watched();
    expect(harness.informer.synced).toBe(true);
    watch.send('ADDED', pod('d', 11)).send('MODIFIED', pod('a', 12)).send('DELETED', pod('b', 13));
    await harness.until(() => harness.changes.length === 6);
    expect(harness.changes).toEqual([
      'Added a@1 initial',
      'Added b@2 initial',
      'Added c@3 initial',
      'Added d@11',
      'Updated a@12 from 1',
      'Deleted b@13',
    ]);
    expect(harness.server.of('list').map(({ query }) => query.get('limit'))).toEqual(['2', '2']);
    expect(harness.server.of('watch')[0]?.query.get('resourceVersion')).toBe('10');
  });

  it('asks anew for fewer where a page is too long, and for more again behind it', async () => {
    await using harness = await Harness.start({ tuning: { ...quick, pageSize: 12, pageBytes: 1000 } });
    const large = (name: string, version: number) => pod(name, version, { annotations: { text: 'x'.repeat(600) } });
    harness.server.on(
      'list',
      listPage([pod('a', 1), large('b', 2), large('c', 3)], '10', 'lost'),
      listPage([pod('a', 1), large('b', 2)], '10', 'two'),
      listPage([large('c', 3), large('d', 4)], '10', 'lost'),
      listPage([large('c', 3)], '10', 'three'),
      listPage([pod('d', 4)], '10'),
    );
    await harness.watched();
    expect(harness.server.of('list').map(({ query }) => [query.get('limit'), query.get('continue')])).toEqual([
      ['12', null],
      ['3', null],
      ['4', 'two'],
      ['1', 'two'],
      ['2', 'three'],
    ]);
    expect(harness.changes).toEqual([
      'Added a@1 initial',
      'Added b@2 initial',
      'Added c@3 initial',
      'Added d@4 initial',
    ]);
    expect(harness.log.filter((line) => line.includes('warn'))).toEqual([]);
  });

  it('takes a single object however long it is', async () => {
    await using harness = await Harness.start({ tuning: { ...quick, pageSize: 2, pageBytes: 100 } });
    const large = pod('a', 1, { annotations: { text: 'x'.repeat(600) } });
    harness.server.on('list', listPage([large], '10', 'lost'), listPage([large], '10'));
    await harness.watched();
    expect(harness.server.of('list').map(({ query }) => query.get('limit'))).toEqual(['2', '1']);
    expect(harness.versions()).toEqual({ a: '1' });
  });

  it('is not synced before the last page', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10', 'more'));
    await harness.until(() => harness.changes.length === 1);
    expect(harness.informer.synced).toBe(false);
    let synced = false;
    const waiting = harness.informer.whenSynced().then(() => (synced = true));
    expect(synced).toBe(false);
    harness.server.on('list', listPage([], '10'));
    await waiting;
    expect(harness.informer.synced).toBe(true);
  });

  it('goes on after the last bookmark or event when a watch ends or breaks, without a new list', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    const first = await harness.watched();
    first.bookmark('25').end();
    const second = await harness.watched();
    second.send('MODIFIED', pod('a', 31));
    await harness.until(() => harness.changes.length === 2);
    second.write('{"type":"MODIFIED","object":{"meta').cut();
    await harness.watched();
    expect(harness.server.of('watch').map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '25', '31']);
    expect(harness.server.of('list')).toHaveLength(1);
  });

  it('survives 500s, refused and cut connections, and tells of its trouble and its recovery', async () => {
    await using harness = await Harness.start();
    harness.server.on(
      'list',
      refuse(500, 'InternalError'),
      hangUp,
      hangUp,
      refuse(503, 'ServiceUnavailable'),
      json(200, 'no list'),
    );
    await harness.until(() => harness.log.filter((line) => line.includes('cannot list pods')).length === 4);
    expect(harness.informer.synced).toBe(false);
    expect(harness.informer.lastError?.message).toContain('cannot list pods: ');
    harness.server.on('list', listPage([], '10'));
    harness.server.on('watch', refuse(500, 'InternalError'), hangUp);
    const watch = await harness.watched();
    watch.bookmark('11');
    await harness.until(() => harness.informer.lastError === undefined);
    expect(harness.log.some((line) => line.includes('list and watch work again'))).toBe(true);
    const metrics = await harness.registry.metrics();
    expect(metrics).toContain('reflector_failures_total{name="pods",reason="InternalError"} 2');
  });

  it('lists anew after 410 on the watch, and finds out what changed and what went meanwhile', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('gone', 1), pod('kept', 2), pod('changed', 3)], '10'));
    const watch = await harness.watched();
    harness.server.on('list', listPage([pod('kept', 2), pod('changed', 15), pod('new', 16)], '20'));
    watch.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
    await harness.watched();
    expect(harness.changes.slice(3)).toEqual(['Updated changed@15 from 3', 'Added new@16', 'Deleted gone@1']);
    expect(harness.server.of('watch').map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '20']);
  });

  it('lists anew after 410 as an HTTP answer, and after a continue token that expired', async () => {
    await using harness = await Harness.start();
    harness.server.on(
      'list',
      listPage([pod('a', 1)], '10', 'old'),
      refuse(410, 'Expired'),
      listPage([pod('b', 2)], '12'),
    );
    harness.server.on('watch', refuse(410, 'Expired'));
    harness.server.on('list', listPage([pod('b', 2)], '14'));
    await harness.watched();
    expect(harness.versions()).toEqual({ b: '2' });
    expect(harness.server.of('list').map(({ query }) => query.get('continue'))).toEqual([null, 'old', null, null]);
    expect(harness.changes).toEqual(['Added a@1 initial', 'Added b@2 initial', 'Deleted a@1']);
  });

  it('repeats only the failed page of a list', async () => {
    await using harness = await Harness.start();
    harness.server.on(
      'list',
      listPage([pod('a', 1)], '10', 'two'),
      refuse(500, 'InternalError'),
      listPage([pod('b', 2)], '10'),
    );
    await harness.watched();
    expect(harness.server.of('list').map(({ query }) => query.get('continue'))).toEqual([null, 'two', 'two']);
    expect(harness.versions()).toEqual({ a: '1', b: '2' });
  });

  it('ignores repeated and outdated events', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 5)], '10'));
    const watch = await harness.watched();
    watch
      .send('ADDED', pod('a', 5))
      .send('MODIFIED', pod('a', 4))
      .send('MODIFIED', pod('a', 12))
      .send('MODIFIED', pod('a', 12))
      .send('ADDED', pod('end', 13));
    await harness.until(() => harness.changes.includes('Added end@13'));
    expect(harness.changes).toEqual(['Added a@5 initial', 'Updated a@12 from 5', 'Added end@13']);
  });

  it('asks for watches of random length, and ends them itself when the server does not', async () => {
    await using harness = await Harness.start({
      random: () => 0.5,
      tuning: { ...quick, watchSeconds: 2, hardLimitGraceMs: -2_900 },
    });
    harness.server.on('list', listPage([], '10'));
    await harness.watched();
    await harness.watched();
    expect(harness.server.of('watch').map(({ query }) => query.get('timeoutSeconds'))).toEqual(['3', '3']);
    expect(harness.log.some((line) => line.includes('did not end the watch within 100 ms'))).toBe(true);
  });

  it('gives up a watch on which nothing comes', async () => {
    await using harness = await Harness.start({ tuning: { ...quick, idleTimeoutMs: 30 } });
    harness.server.on('list', listPage([], '10'));
    await harness.watched();
    await harness.watched();
    expect(harness.log.some((line) => line.includes('not even a bookmark'))).toBe(true);
  });

  it('does not hammer a server that ends every watch at once', async () => {
    await using harness = await Harness.start({
      tuning: { ...quick, shortWatchMs: 10_000, backoff: { baseMs: 20, maxMs: 20, factor: 1, jitter: 0 } },
    });
    harness.server.on('list', listPage([], '10'));
    const startedAt = performance.now();
    for (let round = 0; round < 3; round++) (await harness.watched()).end();
    await harness.watched();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(58);
  });

  it('does not hammer a server that forgets at once either', async () => {
    await using harness = await Harness.start({
      tuning: { ...quick, backoff: { baseMs: 200, maxMs: 200, factor: 1, jitter: 0 } },
    });
    const startedAt = performance.now();
    for (let round = 0; round < 4; round++) {
      harness.server.on('list', listPage([], '10'));
      harness.server.on('watch', refuse(410, 'Expired'));
    }
    harness.server.on('list', listPage([], '10'));
    await harness.watched();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(790);
  });

  it('waits at least as long as the server asks', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([], '10'));
    harness.server.on('watch', refuse(429, 'TooManyRequests', { 'retry-after': '0.08' }));
    const startedAt = performance.now();
    await harness.watched();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75);
  });

  it('keeps to its namespaces and selectors, and forgets only within a namespace that was listed anew', async () => {
    await using harness = await Harness.start({ namespaces: ['one', 'two'], labelSelector: 'app=x' });
    const lists = (count: number) => harness.until(() => harness.server.of('list').length >= count);
    harness.server.on('list', (request, response) =>
      listPage([pod('a', 1, { namespace: request.path.includes('/one/') ? 'one' : 'two' })], '10')(request, response),
    );
    harness.server.on('list', (request, response) =>
      listPage([pod('a', 2, { namespace: request.path.includes('/one/') ? 'one' : 'two' })], '10')(request, response),
    );
    const watches = [await harness.watched(), await harness.watched()];
    expect(
      harness.server
        .of('list')
        .map(({ path, query }) => `${path}?${query.get('labelSelector')}`)
        .sort(),
    ).toEqual(['/api/v1/namespaces/one/pods?app=x', '/api/v1/namespaces/two/pods?app=x']);
    expect(harness.informer.list('one')).toHaveLength(1);
    const [first] = await Promise.all(watches.map((watch) => watch.opened));
    const gone = first?.path.includes('/one/') ? 'one' : 'two';
    harness.server.on('list', listPage([], '20'));
    watches[0]?.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    await harness.until(() => harness.changes.some((change) => change.startsWith('Deleted')));
    await lists(3);
    expect(harness.informer.list().map(({ metadata }) => metadata.namespace)).toEqual([gone === 'one' ? 'two' : 'one']);
  });

  it('drops managedFields and the last-applied annotation, and what transform drops', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' };
    await using harness = await Harness.start({ transform: ({ status: _status, ...rest }) => rest });
    harness.server.on(
      'list',
      listPage([{ ...pod('a', 1, { managedFields: [{}], annotations }), status: { phase: 'Running' } }], '10'),
    );
    await harness.watched();
    expect(harness.informer.get({ namespace: 'ns', name: 'a' })).toEqual({
      ...pod('a', 1),
      metadata: { ...pod('a', 1).metadata, annotations: { kept: 'yes' } },
    });
  });

  it('a handler that throws disturbs neither the others nor the informer', async () => {
    await using harness = await Harness.start();
    harness.informer.addHandler(() => {
      throw new Error('my mistake');
    });
    harness.server.on('list', listPage([pod('a', 1), pod('b', 2)], '10'));
    await harness.watched();
    expect(harness.log.filter((line) => line.includes('my mistake'))).toHaveLength(2);
    expect(harness.changes).toHaveLength(2);
  });

  it('tells a late handler what is there, and a removed one nothing', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    const watch = await harness.watched();
    const late: string[] = [];
    const remove = harness.informer.addHandler((change) => void late.push(described(change)));
    remove();
    watch.send('ADDED', pod('b', 11));
    await harness.until(() => harness.changes.length === 2);
    expect(late).toEqual(['Added a@1 initial']);
  });

  it('asks by default for watches of 5 to 10 minutes, and notices silence before TCP does', () => {
    expect(defaultWatchTuning).toMatchObject({
      watchSeconds: 300,
      idleTimeoutMs: 180_000,
      backoff: { baseMs: 800, maxMs: 30_000 },
    });
  });
});
