// What the operator relies on from an API server, as assertions that run against the simulated one (contract.test.ts) and against a real
// kube-apiserver with its controllers (contract.cluster.test.ts). So the simulator is known to tell the truth.
import {
  type Api,
  ApiError,
  type ConfigMap,
  configMaps,
  controllerReference,
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
  type KubeObject,
  podDisruptionBudgets,
  secrets,
  services,
  type WatchEvent,
} from '@assistant-platform/runtime';
import { describe, expect, it } from 'vitest';
import {
  assistantDeployments,
  controllerRevisions,
  type StoredAssistantDeployment,
} from '../../operator/controller/resources.ts';
import { httpRoutes } from '../../operator/traffic/httpRoute.ts';

/** An API server to try. */
export interface ContractTarget {
  /** A client with this field manager. */
  readonly client: (fieldManager: string) => Api;
  /** A namespace that exists and is this test's own. */
  readonly namespace: string;
  /** Looks again and again until the answer is true. @throws Error saying what was waited for. */
  readonly eventually: (what: string, question: () => boolean | Promise<boolean>) => Promise<void>;
}

/** Runs the test with a target of its own. */
export type WithTarget = (test: (target: ContractTarget) => Promise<void>) => Promise<void>;

const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was accepted');
};

const spec: StoredAssistantDeployment['spec'] = {
  release: '1.0.0',
  components: { chat: { image: 'localhost/chat:1.0.0', replicas: 2 } },
  gateway: { parentRef: { name: 'public' } },
  strategy: { type: 'Canary', canary: { steps: [{ setWeight: 10 }, { pause: {} }] } },
};

const version = (object: KubeObject): string => object.metadata.resourceVersion ?? '';

/** Reads a watch until an event is the last one wanted. */
async function collect<T extends KubeObject>(
  events: AsyncIterable<WatchEvent<T>>,
  isLast: (event: WatchEvent<T>) => boolean,
): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.type === 'BOOKMARK') continue;
    seen.push(`${event.type} ${event.object.metadata.name}`);
    if (isLast(event)) break;
  }
  return seen;
}

/** The suite. */
export function describeContract(name: string, withTarget: WithTarget): void {
  const check = (title: string, test: (target: ContractTarget & { api: Api }) => Promise<void>): void =>
    it(title, () => withTarget((target) => test({ ...target, api: target.client('operator') })));

  describe(`${name}: versions and locks`, () => {
    check('a write makes a newer version, a write that changes nothing does not', async ({ api, namespace }) => {
      const made = await api.create(configMaps, { metadata: { namespace, name: 'a' }, data: { k: '1' } });
      const same = await api.patch(configMaps, { namespace, name: 'a' }, { data: { k: '1' } });
      expect(version(same)).toBe(version(made));
      const changed = await api.patch(configMaps, { namespace, name: 'a' }, { data: { k: '2' } });
      expect(Number(version(changed))).toBeGreaterThan(Number(version(made)));
      expect(changed.metadata.uid).toBe(made.metadata.uid);
    });

    check('an old version, and a wrong uid, are refused with 409', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      const made = await api.create(configMaps, { metadata: ref, data: { k: '1' } });
      await api.patch(configMaps, ref, { data: { k: '2' } });
      expect(isConflict(await failure(api.update(configMaps, { ...made, data: { k: '3' } })))).toBe(true);
      const stale = { metadata: { resourceVersion: version(made) }, data: { k: '3' } };
      expect(isConflict(await failure(api.patch(configMaps, ref, stale)))).toBe(true);
      // A patch of the uid is judged as a change of a field, a replacement as one of another object.
      const namesake = { metadata: { uid: '00000000-0000-0000-0000-000000000000', annotations: { x: 'y' } } };
      const refusal = await failure(api.patch(configMaps, ref, namesake));
      expect(isInvalid(refusal)).toBe(true);
      expect(new Set((refusal as ApiError).causes.map(({ field }) => field))).toEqual(new Set(['metadata.uid']));
      const preconditions = { uid: '00000000-0000-0000-0000-000000000000' };
      expect(isConflict(await failure(api.delete(configMaps, ref, { preconditions })))).toBe(true);
      expect((await api.get(configMaps, ref)).data).toEqual({ k: '2' });
    });

    check('what is not there is 404, what is there already is 409 AlreadyExists', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      expect(isNotFound(await failure(api.get(configMaps, ref)))).toBe(true);
      expect(await api.find(configMaps, ref)).toBeUndefined();
      expect(isNotFound(await failure(api.patch(configMaps, ref, { data: {} })))).toBe(true);
      expect(isNotFound(await failure(api.delete(configMaps, ref)))).toBe(true);
      await api.create(configMaps, { metadata: ref });
      const again = await failure(api.create(configMaps, { metadata: ref }));
      expect(isAlreadyExists(again)).toBe(true);
      expect(isConflict(again)).toBe(false);
    });

    check(
      'a custom resource is replaced only with its version; a version cannot be created',
      async ({ api, namespace }) => {
        const made = await api.create(assistantDeployments, { metadata: { namespace, name: 'a' }, spec });
        const { resourceVersion: _version, ...metadata } = made.metadata;
        expect(isInvalid(await failure(api.update(assistantDeployments, { ...made, metadata })))).toBe(true);
        const draft = { metadata: { namespace, name: 'b', resourceVersion: '1' }, spec };
        const refused = await failure(api.create(assistantDeployments, draft));
        expect(refused).toBeInstanceOf(ApiError);
        expect((refused as ApiError).code).toBe(500);
      },
    );

    check('generateName makes a name', async ({ api, namespace }) => {
      const one = await api.create(configMaps, { metadata: { namespace, generateName: 'part-' } });
      const two = await api.create(configMaps, { metadata: { namespace, generateName: 'part-' } });
      expect(one.metadata.name).toMatch(/^part-.{5}$/);
      expect(one.metadata.name).not.toBe(two.metadata.name);
    });

    check('a dry run changes nothing', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      await api.create(configMaps, { metadata: ref, data: { k: '1' } }, { dryRun: true });
      expect(await api.find(configMaps, ref)).toBeUndefined();
      const made = await api.create(configMaps, { metadata: ref, data: { k: '1' } });
      await api.delete(configMaps, ref, { dryRun: true });
      await api.patch(configMaps, ref, { data: { k: '2' } }, { dryRun: true });
      expect(version(await api.get(configMaps, ref))).toBe(version(made));
    });
  });

  describe(`${name}: status and generation`, () => {
    check('spec and status are written apart; generation counts the spec only', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      const made = await api.create(assistantDeployments, { metadata: ref, spec, status: { phase: 'Healthy' } });
      expect(made.status).toBeUndefined();
      expect(made.metadata.generation).toBe(1);
      const told = await api.updateStatus(assistantDeployments, {
        ...made,
        spec: { ...made.spec, release: 'ignored' },
        status: { phase: 'Progressing' },
      });
      expect([told.status?.phase, told.spec.release, told.metadata.generation]).toEqual(['Progressing', '1.0.0', 1]);
      const labelled = await api.patch(assistantDeployments, ref, {
        metadata: { labels: { a: 'b' } },
        status: { phase: 'Healthy' },
      });
      expect([labelled.status?.phase, labelled.metadata.generation]).toEqual(['Progressing', 1]);
      const edited = await api.patch(assistantDeployments, ref, { spec: { release: '1.1.0' } });
      expect([edited.metadata.generation, edited.spec.release]).toEqual([2, '1.1.0']);
    });

    check('an outdated status is refused with 409', async ({ api, namespace }) => {
      const made = await api.create(assistantDeployments, { metadata: { namespace, name: 'a' }, spec });
      await api.updateStatus(assistantDeployments, { ...made, status: { phase: 'Progressing' } });
      const late = failure(api.updateStatus(assistantDeployments, { ...made, status: { phase: 'Healthy' } }));
      expect(isConflict(await late)).toBe(true);
    });

    check(
      'a status of a route is patched by the gateway, and stays when the route is applied',
      async ({ api, client, namespace }) => {
        const route = (weight: number) => ({
          metadata: { namespace, name: 'a' },
          spec: {
            parentRefs: [{ name: 'public' }],
            rules: [
              {
                matches: [{ path: { type: 'PathPrefix', value: '/' } }],
                backendRefs: [{ name: 'x', port: 80, weight }],
              },
            ],
          },
        });
        const made = await api.apply(httpRoutes, route(10));
        expect(made.spec?.parentRefs?.[0]).toMatchObject({
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          name: 'public',
        });
        const condition = {
          reason: 'Accepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          observedGeneration: 1,
        };
        const conditions = [{ type: 'Accepted', status: 'True', ...condition }];
        const parents = [{ parentRef: { name: 'public' }, controllerName: 'example.com/gateway', conditions }];
        await client('gateway').patch(
          httpRoutes,
          { namespace, name: 'a' },
          { status: { parents } },
          { subresource: 'status' },
        );
        const same = await api.apply(httpRoutes, route(10));
        expect(same.metadata.generation).toBe(1);
        const changed = await api.apply(httpRoutes, route(20));
        expect(changed.metadata.generation).toBe(2);
        expect(changed.spec?.rules?.[0]?.backendRefs).toEqual([
          { group: '', kind: 'Service', name: 'x', port: 80, weight: 20 },
        ]);
        expect(changed.status?.parents).toHaveLength(1);
      },
    );
  });

  describe(`${name}: server-side apply`, () => {
    check('what a manager leaves out goes, what others own stays', async ({ api, client, namespace }) => {
      const metadata = { namespace, name: 'a' };
      await api.apply(configMaps, { metadata, data: { mine: '1', also: '1' } });
      await client('other').apply(configMaps, { metadata, data: { theirs: '1', also: '1' } });
      const after = await api.apply(configMaps, { metadata, data: { mine: '2' } });
      expect(after.data).toEqual({ mine: '2', also: '1', theirs: '1' });
      const last = await client('other').apply(configMaps, { metadata, data: { theirs: '1' } });
      expect(last.data).toEqual({ mine: '2', theirs: '1' });
    });

    check('applying the same again makes no new version', async ({ api, namespace }) => {
      const config = { metadata: { namespace, name: 'a', labels: { x: 'y' } }, data: { k: '1' } };
      const first = await api.apply(configMaps, config);
      expect(version(await api.apply(configMaps, config))).toBe(version(first));
    });

    check("another manager's field is a conflict that names it, unless forced", async ({ api, client, namespace }) => {
      const metadata = { namespace, name: 'a' };
      await client('person').apply(configMaps, { metadata, data: { k: '1' } });
      const refused = await failure(api.apply(configMaps, { metadata, data: { k: '2' } }, { force: false }));
      expect(isConflict(refused)).toBe(true);
      expect((refused as ApiError).causes.map(({ field }) => field)).toEqual(['.data.k']);
      const agreed = await api.apply(configMaps, { metadata, data: { k: '1' } }, { force: false });
      expect(agreed.data).toEqual({ k: '1' });
      const forced = await client('third').apply(configMaps, { metadata, data: { k: '3' } });
      expect(forced.data).toEqual({ k: '3' });
    });

    check('a field that was patched belongs to who patched it', async ({ api, client, namespace }) => {
      const metadata = { namespace, name: 'a' };
      await api.apply(configMaps, { metadata, data: { k: '1', l: '1' } });
      await client('person').patch(configMaps, metadata, { data: { k: '2' } });
      const after = await api.apply(configMaps, { metadata, data: { l: '1' } });
      expect(after.data).toEqual({ k: '2', l: '1' });
    });

    check('with a version it locks; an object that is not there is made all the same', async ({ api, namespace }) => {
      const metadata = { namespace, name: 'a' };
      const made = await api.apply(configMaps, { metadata, data: { k: '1' } });
      await api.patch(configMaps, metadata, { data: { k: '2' } });
      const stale = { metadata: { ...metadata, resourceVersion: version(made) }, data: { k: '3' } };
      expect(isConflict(await failure(api.apply(configMaps, stale)))).toBe(true);
      const missing = { metadata: { namespace, name: 'b', resourceVersion: version(made) }, data: { k: '3' } };
      expect((await api.apply(configMaps, missing)).data).toEqual({ k: '3' });
    });

    check('owner references and ports are merged by their keys', async ({ api, client, namespace }) => {
      const owner = await api.create(configMaps, { metadata: { namespace, name: 'owner' } });
      const other = await api.create(configMaps, { metadata: { namespace, name: 'other' } });
      const reference = (object: KubeObject) => ({ ...controllerReference(object), controller: false });
      const metadata = { namespace, name: 'a' };
      const port = (name: string, number: number) => ({ name, port: number, protocol: 'TCP' });
      await api.apply(services, {
        metadata: { ...metadata, ownerReferences: [reference(owner)] },
        spec: { ports: [port('http', 80)] },
      });
      const both = await client('other').apply(services, {
        metadata: { ...metadata, ownerReferences: [reference(other)] },
        spec: { ports: [port('admin', 90)] },
      });
      expect(both.metadata.ownerReferences?.map(({ name: each }) => each).sort()).toEqual(['other', 'owner']);
      expect(both.spec?.ports?.map(({ port: number }) => number).sort()).toEqual([80, 90]);
      const one = await client('other').apply(services, { metadata, spec: { ports: [port('admin', 90)] } });
      expect(one.metadata.ownerReferences?.map(({ name: each }) => each)).toEqual(['owner']);
    });
  });

  describe(`${name}: what may not change`, () => {
    check('the data of a ControllerRevision', async ({ api, namespace }) => {
      const metadata = { namespace, name: 'a' };
      const data = { hash: 'x', release: '1', components: {} };
      await api.apply(controllerRevisions, { metadata, revision: 1, data });
      const refused = await failure(
        api.apply(controllerRevisions, { metadata, revision: 1, data: { ...data, release: '2' } }),
      );
      expect(isInvalid(refused)).toBe(true);
    });

    check('the data of an immutable ConfigMap', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      await api.create(configMaps, { metadata: ref, data: { k: '1' }, immutable: true });
      expect(isInvalid(await failure(api.patch(configMaps, ref, { data: { k: '2' } })))).toBe(true);
      const labelled = await api.patch(configMaps, ref, { metadata: { labels: { x: 'y' } } });
      expect(labelled.data).toEqual({ k: '1' });
    });

    check('stringData of a Secret is stored as data', async ({ api, namespace }) => {
      const made = await api.create(secrets, { metadata: { namespace, name: 'a' }, stringData: { token: 'abc' } });
      expect(made.data).toEqual({ token: Buffer.from('abc').toString('base64') });
      expect([made.stringData, made.type]).toEqual([undefined, 'Opaque']);
    });
  });

  describe(`${name}: deletion`, () => {
    check('finalizers hold an object back, marked; the last one lets it go', async ({ api, namespace }) => {
      const ref = { namespace, name: 'a' };
      const made = await api.create(assistantDeployments, {
        metadata: { ...ref, finalizers: ['example.com/b', 'example.com/a'] },
        spec,
      });
      const deletion = await api.delete(assistantDeployments, ref);
      if (deletion.state !== 'Terminating') throw new Error('it is gone already');
      expect(deletion.object.metadata.deletionTimestamp).toBeDefined();
      expect(deletion.object.metadata.generation).toBe((made.metadata.generation ?? 0) + 1);
      const again = await api.delete(assistantDeployments, ref);
      if (again.state !== 'Terminating') throw new Error('it is gone already');
      expect(version(again.object)).toBe(version(deletion.object));
      await api.patch(assistantDeployments, ref, { metadata: { finalizers: ['example.com/a'] } });
      expect(await api.find(assistantDeployments, ref)).toBeDefined();
      await api.patch(assistantDeployments, ref, { metadata: { finalizers: null } });
      expect(await api.find(assistantDeployments, ref)).toBeUndefined();
    });

    check('what belongs to a deleted owner goes as well', async ({ api, namespace, eventually }) => {
      const owner = await api.create(configMaps, { metadata: { namespace, name: 'owner' } });
      const metadata = { namespace, name: 'child', ownerReferences: [controllerReference(owner)] };
      await api.create(podDisruptionBudgets, {
        metadata,
        spec: { maxUnavailable: 1, selector: { matchLabels: { a: 'b' } } },
      });
      await api.create(configMaps, { metadata: { namespace, name: 'stranger' } });
      const deletion = await api.delete(configMaps, { namespace, name: 'owner' }, { propagationPolicy: 'Background' });
      expect(deletion).toEqual({ state: 'Gone', uid: owner.metadata.uid });
      await eventually('the child goes', async () => (await api.find(podDisruptionBudgets, metadata)) === undefined);
      expect(await api.find(configMaps, { namespace, name: 'stranger' })).toBeDefined();
    });

    check('what is made for an owner that is gone goes as well', async ({ api, namespace, eventually }) => {
      const owner = await api.create(configMaps, { metadata: { namespace, name: 'owner' } });
      await api.delete(configMaps, { namespace, name: 'owner' });
      const metadata = { namespace, name: 'child', ownerReferences: [controllerReference(owner)] };
      await api.create(configMaps, { metadata });
      await eventually('the child goes', async () => (await api.find(configMaps, metadata)) === undefined);
    });

    check(
      'in the foreground the owner waits for those that block it, and only for them',
      async ({ api, namespace, eventually }) => {
        const owner = await api.create(configMaps, { metadata: { namespace, name: 'owner' } });
        const child = (name: string, blockOwnerDeletion: boolean, finalizers: string[] = []) => ({
          metadata: {
            namespace,
            name,
            finalizers,
            ownerReferences: [{ ...controllerReference(owner), blockOwnerDeletion }],
          },
        });
        await api.create(configMaps, child('blocks', true, ['example.com/hold']));
        await api.create(configMaps, child('free', false));
        const deletion = await api.delete(
          configMaps,
          { namespace, name: 'owner' },
          { propagationPolicy: 'Foreground' },
        );
        expect(deletion.state).toBe('Terminating');
        const marked = async (): Promise<boolean> =>
          (await api.get(configMaps, { namespace, name: 'blocks' })).metadata.deletionTimestamp !== undefined;
        await eventually('what blocks is deleted', marked);
        expect(await api.find(configMaps, { namespace, name: 'owner' })).toBeDefined();
        await api.patch(configMaps, { namespace, name: 'blocks' }, { metadata: { finalizers: null } });
        const gone = (name: string) => async (): Promise<boolean> =>
          (await api.find(configMaps, { namespace, name })) === undefined;
        await eventually('the owner goes', gone('owner'));
        await eventually('the free one goes', gone('free'));
      },
    );
  });

  describe(`${name}: lists and watches`, () => {
    const made = (namespace: string, name: string, labels: Record<string, string> = {}) => ({
      metadata: { namespace, name, labels },
    });

    check('pages are of one version, whatever is written meanwhile', async ({ api, namespace }) => {
      for (const name of ['c', 'a', 'b']) await api.create(configMaps, made(namespace, name, { of: 'us' }));
      const selection = { namespace, labelSelector: 'of=us' };
      const first = await api.page(configMaps, { ...selection, limit: 2 });
      expect(first.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
      await api.create(configMaps, made(namespace, 'd', { of: 'us' }));
      await api.delete(configMaps, { namespace, name: 'c' });
      const second = await api.page(configMaps, { ...selection, limit: 2, continueToken: first.continueToken });
      expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['c']);
      expect([second.resourceVersion, second.continueToken]).toEqual([first.resourceVersion, undefined]);
      const whole = await api.list(configMaps, { ...selection, limit: 1 });
      expect(whole.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'd']);
    });

    check('selectors select in lists', async ({ api, namespace }) => {
      await api.create(configMaps, made(namespace, 'a', { x: '1', y: '1' }));
      await api.create(configMaps, made(namespace, 'b', { x: '2' }));
      const names = async (selection: object): Promise<string[]> =>
        (await api.list(configMaps, { namespace, ...selection })).items
          .map(({ metadata }) => metadata.name)
          .filter((each) => each !== 'kube-root-ca.crt');
      expect(await names({ labelSelector: 'x' })).toEqual(['a', 'b']);
      expect(await names({ labelSelector: 'x=1' })).toEqual(['a']);
      expect(await names({ labelSelector: 'x,!y' })).toEqual(['b']);
      expect(await names({ fieldSelector: 'metadata.name=b' })).toEqual(['b']);
    });

    check(
      'a watch tells every change after its version in order, objects entering and leaving the selection too',
      async ({ api, namespace }) => {
        await api.create(configMaps, made(namespace, 'before', { of: 'us' }));
        const { resourceVersion } = await api.list(configMaps, { namespace });
        const ref = { namespace, name: 'a' };
        await api.create(configMaps, made(namespace, 'a'));
        await api.patch(configMaps, ref, { metadata: { labels: { of: 'us' } } });
        const watch = api.watch(configMaps, { namespace, labelSelector: 'of=us', resourceVersion, timeoutSeconds: 20 });
        await api.patch(configMaps, ref, { data: { k: '1' } });
        const left = await api.patch(configMaps, ref, { metadata: { labels: { of: null } } });
        await api.delete(configMaps, { namespace, name: 'before' });
        let departure: ConfigMap | undefined;
        const seen = await collect(watch, (event) => {
          if (event.type === 'DELETED' && event.object.metadata.name === 'a') departure = event.object;
          return event.type === 'DELETED' && event.object.metadata.name === 'before';
        });
        expect(seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'DELETED before']);
        // The version of the departure is that of the write that caused it: what a cache holds of it is older.
        expect(departure?.metadata.resourceVersion).toBe(version(left));
      },
    );

    check(
      'a watch without a version begins with what there is, and says where that ends',
      async ({ api, namespace }) => {
        for (const name of ['a', 'b']) await api.create(configMaps, made(namespace, name, { of: 'us' }));
        await api.create(configMaps, made(namespace, 'other'));
        await api.delete(configMaps, { namespace, name: 'a' });
        const last = await api.create(configMaps, made(namespace, 'c', { of: 'us' }));
        const scope = { namespace, labelSelector: 'of=us', timeoutSeconds: 20 };
        const seen: string[] = [];
        for await (const event of api.watch(configMaps, { ...scope, resourceVersion: undefined })) {
          seen.push(event.type === 'BOOKMARK' ? 'END' : `${event.type} ${event.object.metadata.name}`);
          if (event.type === 'BOOKMARK') {
            expect(event.initialEventsEnd).toBe(true);
            expect(Number(event.resourceVersion)).toBeGreaterThanOrEqual(Number(version(last)));
            await api.create(configMaps, made(namespace, 'd', { of: 'us' }));
          }
          if (seen.at(-1) === 'ADDED d') break;
        }
        expect(seen).toEqual(['ADDED b', 'ADDED c', 'END', 'ADDED d']);
      },
    );

    check('the event of a deletion carries a newer version than any write before it', async ({ api, namespace }) => {
      const a = await api.create(configMaps, made(namespace, 'a'));
      await api.delete(configMaps, { namespace, name: 'a' });
      const watch = api.watch(configMaps, { namespace, resourceVersion: version(a), timeoutSeconds: 20 });
      for await (const event of watch) {
        if (event.type !== 'DELETED') continue;
        expect(Number(version(event.object))).toBeGreaterThan(Number(version(a)));
        break;
      }
    });

    check('a watch from a version long gone ends with 410', async ({ api, namespace }) => {
      const watch = api.watch(assistantDeployments, { namespace, resourceVersion: '1', timeoutSeconds: 20 });
      const error = await failure(collect(watch, () => true));
      expect(isGone(error)).toBe(true);
    });

    check('the server ends a watch in time', async ({ api, namespace }) => {
      const { resourceVersion } = await api.list(configMaps, { namespace });
      const watch = api.watch(configMaps, {
        namespace,
        labelSelector: 'of=nobody',
        resourceVersion,
        timeoutSeconds: 1,
      });
      expect(await collect(watch, () => false)).toEqual([]);
    });
  });
}
