// What is written where something of what it is made of is missing.
import { describe, expect, it } from 'vitest';
import { converge } from './converge.ts';
import { sampleRelease } from './releases.ts';
import { factsOf, NOW, podOf, progressOf, recordOf, routeOf, workloadOf } from './worldSituations.ts';

describe('the route of a component that the spec has no longer', () => {
  const release = sampleRelease('1.1.0', undefined, ['realtime']);
  const written = (change: Parameters<typeof factsOf>[0]) =>
    converge(progressOf(), factsOf(change, release), { kind: 'Verified', share: 0 }, NOW).writes.flatMap((write) =>
      write.kind === 'WriteRoute' && write.intent.component === 'chat' ? [write.intent] : [],
    );
  const [a, b] = [recordOf('a', ['chat', 'realtime'], 1), recordOf('b', ['chat', 'realtime'], 2)];

  it('keeps its path, or has the path of every route', () => {
    const { intent } = routeOf('chat', { a: 100 });
    const there = { ...routeOf('chat', { a: 100 }), intent: intent && { ...intent, path: '/talk' } };
    expect(written({ routes: [there] })).toMatchObject([{ path: '/talk' }]);
    expect(written({ routes: [] })).toMatchObject([{ path: '/' }]);
  });

  it('that somebody deleted is made anew at the path that its revision was released with: another one would take the traffic of others', () => {
    const spec = sampleRelease('1.1.0', undefined, ['chat']);
    const made = (components: Record<string, unknown>) =>
      converge(
        progressOf(),
        factsOf({ records: [{ ...a, source: { release: '', components } }, recordOf('b', ['chat'], 2)] }, spec),
        { kind: 'Verified', share: 0 },
        NOW,
      ).writes.flatMap((write) =>
        write.kind === 'WriteRoute' ? [[write.intent.component, write.intent.path] as const] : [],
      );
    expect(made({ realtime: { path: '/live' } })).toContainEqual(['realtime', '/live']);
    expect(made({ realtime: {} })).toContainEqual(['realtime', '/ws']);
  });

  it('goes to the port that the revision was recorded with, or to the usual one', () => {
    const recorded = { ...a, components: { ...a.components, chat: { port: 7000, adminPort: 9090, template: {} } } };
    const ports = (records: (typeof a)[]) =>
      written({ records, routes: [routeOf('chat', { a: 100 })] }).map(({ backends }) =>
        Object.fromEntries(backends.map(({ revision, port }) => [revision, port])),
      );
    expect(ports([recorded, b])).toEqual([{ a: 7000, b: 8080 }]);
    expect(ports([b])).toEqual([{ a: 8080, b: 8080 }]);
  });
});

it('a route goes to the port of the spec where there is no record of the revision', () => {
  const release = sampleRelease('1.1.0');
  const components = { ...release.components, chat: { ...release.components['chat']!, port: 7000 } };
  const f = factsOf(
    { records: [recordOf('b', ['chat', 'realtime'])], routes: [routeOf('chat', { a: 100 })] },
    { ...release, components },
  );
  const { writes } = converge(progressOf(), f, { kind: 'Verified', share: 0 }, NOW);
  const chat = writes.flatMap((write) =>
    write.kind === 'WriteRoute' && write.intent.component === 'chat' ? write.intent.backends : [],
  );
  expect(Object.fromEntries(chat.map(({ revision, port }) => [revision, port]))).toEqual({ a: 7000, b: 8080 });
});

it('the Service of a revision that leaves is made anew while a route names it: without it the gateway refuses the route, and the drain never begins', () => {
  const named = { routes: [routeOf('chat', { a: 100, b: 0 }), routeOf('realtime', { a: 100 })] };
  const abort = { at: new Date(NOW).toISOString(), reason: 'bad', by: 'User' } as const;
  const services = (change: Parameters<typeof factsOf>[0]) =>
    converge(progressOf({ abort, requested: 0, routed: 0 }), factsOf(change), { kind: 'Verified', share: 0 }, NOW)
      .writes.flatMap((write) =>
        write.kind === 'Apply' && write.object.kind === 'Service' ? [write.object.metadata.name] : [],
      )
      .filter((name) => name.endsWith('-b'));
  expect(services(named)).toContain('support-chat-b');
  expect(services({ routes: [routeOf('chat', { a: 100 }), routeOf('realtime', { a: 100 })] })).toEqual([]);
});

it('routes are written first: an abort does not wait for a disruption budget or a copy that the API server may refuse', () => {
  const abort = { at: new Date(NOW).toISOString(), reason: 'bad', by: 'User' } as const;
  const f = factsOf({ routes: [routeOf('chat', { a: 80, b: 20 }), routeOf('realtime', { a: 80, b: 20 })] });
  const { writes } = converge(progressOf({ abort, requested: 0 }), f, { kind: 'Verified', share: 20 }, NOW);
  expect(writes.slice(0, 3).map(({ kind }) => kind)).toEqual(['WriteRoute', 'WriteRoute', 'Apply']);
});

describe('the route of a component that only the new revision has', () => {
  const records = [recordOf('a', ['chat'], 1), recordOf('b', ['chat', 'realtime'], 2)];
  const writes = (change: Parameters<typeof factsOf>[0]) =>
    converge(progressOf({ requested: 0 }), factsOf({ records, ...change }), { kind: 'Verified', share: 0 }, NOW).writes;
  const chat = routeOf('chat', { a: 100, b: 0 });

  it('goes with the last of its traffic: nobody else serves it', () => {
    const removed = { kind: 'Delete', ref: { kind: 'HTTPRoute', name: 'support-realtime' } };
    expect(writes({ routes: [chat, routeOf('realtime', { b: 100 })] })).toContainEqual(removed);
    expect(writes({ routes: [chat] }).filter(({ kind }) => kind === 'Delete')).toEqual([]);
  });
});

it('a route is not made before anything could serve it: somebody else may have the path', () => {
  const made = (change: Parameters<typeof factsOf>[0]) =>
    converge(progressOf(), factsOf(change), { kind: 'Verified', share: 0 }, NOW).writes.flatMap((write) =>
      write.kind === 'WriteRoute' ? [write.intent.component] : [],
    );
  expect(made({ routes: [] })).toEqual(['chat', 'realtime']);
  expect(made({ routes: [], pods: [podOf('a', 'chat')] })).toEqual(['chat']);
});

it('a first release that takes the place of another leaves the route to that one until it has pods', () => {
  const p = progressOf({ stable: null, requested: 100, routed: 0 });
  const f = factsOf({ routes: [routeOf('chat', { a: 100 })], pods: [podOf('a', 'chat')] });
  const { writes } = converge(p, f, { kind: 'Verified', share: 0 }, NOW);
  expect(writes.filter(({ kind }) => kind === 'Delete' || kind === 'WriteRoute')).toEqual([]);
});

describe('a revision beyond the history limit', () => {
  const forgetting = { ...sampleRelease('1.1.0'), revisionHistoryLimit: 0 };
  const removed = (change: Parameters<typeof factsOf>[0]) => {
    const p = progressOf({ stable: { hash: 'b', release: '1.1.0' }, requested: 100, routed: 100 });
    const pods = [podOf('b', 'chat'), podOf('b', 'realtime')];
    const f = factsOf({ pods, ...change }, forgetting);
    return converge(p, f, { kind: 'Verified', share: 100 }, NOW)
      .writes.flatMap((write) => (write.kind === 'Delete' ? [`${write.ref.kind}/${write.ref.name}`] : []))
      .sort();
  };
  const serving = [workloadOf('b', 'chat'), workloadOf('b', 'realtime')];
  const [first, second] = [recordOf('a', ['chat', 'realtime'], 1), recordOf('b', ['chat', 'realtime'], 2)];

  it('goes with all that is left of it', () => {
    const drained = [workloadOf('a', 'chat', { replicas: 0 }), workloadOf('a', 'realtime', { replicas: 0 })];
    expect(removed({ workloads: [...serving, ...drained], records: [first, second] })).toEqual([
      'ControllerRevision/support-a',
      'Deployment/support-chat-a',
      'Deployment/support-realtime-a',
    ]);
  });

  it('of which a part is gone already goes with the others', () => {
    const drained = [workloadOf('a', 'chat', { replicas: 0 })];
    expect(removed({ workloads: [...serving, ...drained], records: [first, second] })).toEqual([
      'ControllerRevision/support-a',
      'Deployment/support-chat-a',
    ]);
    expect(removed({ workloads: [...serving, ...drained], records: [second] })).toEqual(['Deployment/support-chat-a']);
  });
});
