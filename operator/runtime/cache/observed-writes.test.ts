import { describe, expect, it } from 'vitest';
import { pods } from '../objects/builtin.ts';
import { Harness, pod } from '../testing/informer-harness.ts';
import { json, listPage, refuse } from '../testing/scripted-server.ts';
import { withObservedWrites } from './observed-writes.ts';

describe('read your writes', () => {
  const observed = (harness: Harness) =>
    withObservedWrites(harness.client, (resource) => (resource === 'pods' ? [harness.informer] : []));

  it('a write is in the cache before it resolves, and the late watch does not undo it', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    const watch = await harness.watched();
    harness.server.on('other', json(200, pod('a', 30)));
    await observed(harness).patch(pods, { namespace: 'ns', name: 'a' }, {});
    expect(harness.versions()).toEqual({ a: '30' });
    watch.send('MODIFIED', pod('a', 20)).send('MODIFIED', pod('a', 30)).send('ADDED', pod('end', 31));
    await harness.until(() => harness.changes.includes('Added end@31'));
    expect(harness.changes).toEqual(['Added a@1 initial', 'Updated a@30 from 1', 'Added end@31']);
  });

  it('a delete is in the cache before it resolves; a namesake made afterwards stays', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    const watch = await harness.watched();
    harness.server.on(
      'other',
      json(200, { kind: 'Status', details: { uid: 'uid-a' } }),
      json(201, pod('a', 33, { uid: 'second' })),
    );
    const api = observed(harness);
    await api.delete(pods, { namespace: 'ns', name: 'a' });
    expect(harness.versions()).toEqual({});
    await api.create(pods, pod('a', 0));
    watch
      .send('MODIFIED', pod('a', 31))
      .send('DELETED', pod('a', 32))
      .send('ADDED', pod('a', 33, { uid: 'second' }))
      .send('ADDED', pod('end', 34));
    await harness.until(() => harness.changes.includes('Added end@34'));
    expect(harness.changes).toEqual(['Added a@1 initial', 'Deleted a@1', 'Added a@33', 'Added end@34']);
  });

  it('a delete that waits for finalizers shows the deletion timestamp; one that finds nothing clears the cache', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1), pod('b', 2)], '10'));
    await harness.watched();
    const api = observed(harness);
    harness.server.on(
      'other',
      json(200, pod('a', 21, { deletionTimestamp: '2026-01-01T00:00:00Z' })),
      refuse(404, 'NotFound'),
    );
    await api.delete(pods, { namespace: 'ns', name: 'a' });
    await expect(api.delete(pods, { namespace: 'ns', name: 'b' })).rejects.toThrow('NotFound');
    expect(harness.informer.list().map(({ metadata }) => [metadata.name, metadata.deletionTimestamp])).toEqual([
      ['a', '2026-01-01T00:00:00Z'],
    ]);
  });

  it('an answer that the watch has overtaken does not bring back what is gone', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1), pod('b', 2)], '10'));
    const watch = await harness.watched();
    const late = Promise.withResolvers<undefined>();
    // As for a Service: the answer to the delete is the object as it was last.
    const answers = { delete: pod('a', 1), patch: pod('b', 20) };
    const api = withObservedWrites(
      Object.assign(Object.create(harness.client) as typeof harness.client, {
        delete: async () => {
          await late.promise;
          return { state: 'Terminating', object: answers.delete };
        },
        patch: async () => {
          await late.promise;
          return answers.patch;
        },
      }),
      () => [harness.informer],
    );
    const writes = [
      api.delete(pods, { namespace: 'ns', name: 'a' }),
      api.patch(pods, { namespace: 'ns', name: 'b' }, {}),
    ];
    watch.send('DELETED', pod('a', 21)).send('DELETED', pod('b', 22)).send('ADDED', pod('end', 23));
    await harness.until(() => harness.changes.includes('Added end@23'));
    late.resolve(undefined);
    await Promise.all(writes);
    expect(harness.versions()).toEqual({ end: '23' });
  });

  it('a removal without a uid is left to the watch, as a namesake may be there by now', async () => {
    await using harness = await Harness.start();
    harness.server.on('list', listPage([pod('a', 1)], '10'));
    await harness.watched();
    harness.server.on('other', json(200, { kind: 'Status', status: 'Success' }));
    await observed(harness).delete(pods, { namespace: 'ns', name: 'a' });
    expect(harness.versions()).toEqual({ a: '1' });
  });

  it('a write outside of its namespaces does not come in', async () => {
    await using harness = await Harness.start({ namespaces: ['ns'] });
    harness.server.on('list', listPage([], '10'));
    await harness.watched();
    harness.server.on('other', json(201, pod('a', 20, { namespace: 'other' })), json(201, pod('b', 21)));
    await observed(harness).create(pods, pod('a', 0, { namespace: 'other' }));
    await observed(harness).create(pods, pod('b', 0));
    expect(harness.versions()).toEqual({ b: '21' });
  });

  it('what leaves the selection by our write leaves the cache; what is outside of it never comes in; dry runs do not count', async () => {
    await using harness = await Harness.start({ labelSelector: 'app=x' });
    const labels = { app: 'x' };
    harness.server.on('list', listPage([pod('a', 1, { labels })], '10'));
    await harness.watched();
    const api = observed(harness);
    harness.server.on('other', json(200, pod('a', 20)), json(201, pod('b', 21)), json(201, pod('c', 22, { labels })));
    await api.apply(pods, { metadata: { namespace: 'ns', name: 'a' } });
    await api.create(pods, pod('b', 0));
    await api.create(pods, pod('c', 0), { dryRun: true });
    expect(harness.versions()).toEqual({});
    expect(harness.changes).toEqual(['Added a@1 initial', 'Deleted a@1']);
  });
});
