import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject, ObjectRef } from '../objects/objects.ts';
import { Store } from './store.ts';

interface Thing extends KubeObject {
  value?: number;
}

const thing = (
  name: string,
  version: number,
  more: { uid?: string; labels?: Record<string, string>; value?: number } = {},
): Thing => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: {
    name,
    uid: more.uid ?? `${name}-1`,
    resourceVersion: String(version),
    ...(more.labels ? { labels: more.labels } : {}),
  },
  ...(more.value === undefined ? {} : { value: more.value }),
});

const finish = (store: Store<Thing>, list: number, version: number, seen: string[]) =>
  [...store.finishList(list, String(version), new Set(seen), () => true)].map((change) => change.type);

describe.each([{ compact: false }, { compact: true }])('Store %o', ({ compact }) => {
  it('never goes back: an older or repeated event changes nothing', () => {
    const store = new Store<Thing>({ compact });
    expect(store.upsert(thing('a', 9)).type).toBe('Added');
    expect(store.upsert(thing('a', 10)).type).toBe('Updated');
    expect(store.upsert(thing('a', 9)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 10)).type).toBe('Nothing');
    expect(store.remove(thing('a', 8)).type).toBe('Nothing');
    expect(store.get({ name: 'a' })?.metadata.resourceVersion).toBe('10');
    expect(store.remove(thing('a', 11)).type).toBe('Deleted');
  });

  it('accepts versions that cannot be ordered as news', () => {
    const store = new Store<Thing>({ compact });
    const opaque = (version: string) => ({
      ...thing('a', 1),
      metadata: { name: 'a', uid: 'u', resourceVersion: version },
    });
    store.upsert(opaque('abc'));
    expect(store.upsert(opaque('abb')).type).toBe('Updated');
    expect(store.upsert(opaque('abb')).type).toBe('Nothing');
  });

  it('a deleted object does not come back by events that were under way; a namesake does', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 5));
    expect(store.bury({ name: 'a' }, 'a-1').type).toBe('Deleted');
    expect(store.upsert(thing('a', 6)).type).toBe('Nothing');
    expect(store.remove(thing('a', 7)).type).toBe('Nothing');
    store.upsert(thing('a', 8, { uid: 'a-2' }));
    expect(store.bury({ name: 'a' }, 'a-1').type).toBe('Nothing');
    expect(store.get({ name: 'a' })?.metadata.uid).toBe('a-2');
  });

  it('the answer to a write of ours that comes after the news of the deletion brings nothing back', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 1));
    store.beginWrite();
    store.remove(thing('a', 5));
    // Of the delete (the object as it was last), or of a patch shortly before it.
    expect(store.upsert(thing('a', 1)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 4)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 6, { uid: 'second' })).type).toBe('Added');
    store.endWrite();
    expect(store.get({ name: 'a' })?.metadata.uid).toBe('second');
  });

  it('a list forgets no deletion while a write is under way whose answer may speak of the deleted', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 1));
    store.beginWrite();
    store.bury({ name: 'a' }, 'a-1');
    expect(finish(store, store.startList(), 5, [])).toEqual([]);
    // Of a patch shortly before the delete: the watch, which begins at 5, would never tell that it is gone.
    expect(store.upsert(thing('a', 2)).type).toBe('Nothing');
    store.endWrite();
    expect(store.buried).toBe(0);
  });

  it('an answer that a list has overtaken brings nothing back, though the list removed nothing either', () => {
    const store = new Store<Thing>({ compact });
    store.beginWrite();
    // Created at 2 by us, deleted at 4 by somebody else; the watch that begins at 5 will speak of neither.
    expect(finish(store, store.startList(), 5, [])).toEqual([]);
    expect(store.upsert(thing('a', 2)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 6, { uid: 'a-2' })).type).toBe('Added');
    store.endWrite();
  });

  it('a late answer of the first of two namesakes that are both gone brings nothing back', () => {
    const store = new Store<Thing>({ compact });
    store.beginWrite();
    store.upsert(thing('a', 1));
    store.remove(thing('a', 3));
    store.upsert(thing('a', 4, { uid: 'a-2' }));
    store.remove(thing('a', 5, { uid: 'a-2' }));
    store.remove(thing('a', 3)); // told again
    expect(store.upsert(thing('a', 2)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 4, { uid: 'a-2' })).type).toBe('Nothing');
    store.endWrite();
  });

  it('a watch that lags tells nothing new of the namesake before the one that we deleted', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 8, { uid: 'a-2' }));
    store.bury({ name: 'a' }, 'a-2');
    expect(store.upsert(thing('a', 6)).type).toBe('Nothing');
  });

  it('what left the selection while a write was under way may come back by a newer state', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 1));
    store.beginWrite();
    const list = store.startList();
    expect(finish(store, list, 5, [])).toEqual(['Deleted']);
    expect(store.upsert(thing('a', 5)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 6)).type).toBe('Added');
    store.endWrite();
  });

  it('remembers a deletion only until the watch has told of it', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 5));
    store.bury({ name: 'a' }, 'a-1');
    expect(store.buried).toBe(1);
    store.remove(thing('a', 7));
    expect(store.buried).toBe(0);
  });

  it('a namesake that was seen through our own write survives the late news of the first one', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 5));
    store.upsert(thing('a', 8, { uid: 'a-2' }));
    expect(store.remove(thing('a', 7)).type).toBe('Nothing');
    expect(store.get({ name: 'a' })?.metadata.uid).toBe('a-2');
  });

  it('an object that left the selection by our write may return by a newer one', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 5));
    store.bury({ name: 'a' }, 'a-1', '6');
    expect(store.upsert(thing('a', 6)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 7)).type).toBe('Added');
    expect(store.remove(thing('a', 6)).type).toBe('Nothing');
  });

  it('a list removes what it lacks, but not what was written after it', () => {
    const store = new Store<Thing>({ compact });
    for (const [name, version] of [
      ['old', 3],
      ['kept', 4],
    ] as const)
      store.upsert(thing(name, version));
    const list = store.startList();
    store.upsert(thing('kept', 4));
    store.upsert(thing('fresh', 21));
    expect(finish(store, list, 20, ['kept'])).toEqual(['Deleted']);
    expect([...store.values()].map(({ metadata }) => metadata.name).sort()).toEqual(['fresh', 'kept']);
  });

  it('a list forgets the deleted, but not those deleted while it was fetched', () => {
    const store = new Store<Thing>({ compact });
    store.upsert(thing('a', 1));
    store.upsert(thing('b', 2));
    store.bury({ name: 'a' }, 'a-1');
    const list = store.startList();
    store.bury({ name: 'b' }, 'b-1');
    finish(store, list, 10, []);
    expect(store.upsert(thing('b', 3)).type).toBe('Nothing');
    expect(store.upsert(thing('a', 11)).type).toBe('Added');
  });

  it('the list of one namespace forgets nothing of another, whose watch may lag', () => {
    const store = new Store<Thing>({ compact });
    const inB = (version: number) => {
      const object = thing('a', version);
      return { ...object, metadata: { ...object.metadata, namespace: 'b' } };
    };
    store.upsert(inB(1));
    store.bury({ namespace: 'b', name: 'a' }, 'a-1');
    const list = store.startList();
    const within = ({ namespace }: ObjectRef) => namespace === 'other';
    expect([...store.finishList(list, '10', new Set(), within)]).toEqual([]);
    expect(store.upsert(inB(2)).type).toBe('Nothing');
    expect(store.remove(inB(3)).type).toBe('Nothing');
    expect(store.buried).toBe(0);
  });

  it('keeps its indexes', () => {
    const store = new Store<Thing>({
      compact,
      indexers: { label: ({ metadata }) => Object.values(metadata.labels ?? {}) },
    });
    store.upsert(thing('a', 1, { labels: { x: 'red', y: 'big' } }));
    store.upsert(thing('b', 2, { labels: { x: 'red' } }));
    const names = (value: string) => store.byIndex('label', value).map(({ metadata }) => metadata.name);
    expect(names('red')).toEqual(['a', 'b']);
    store.upsert(thing('a', 3, { labels: { x: 'blue' } }));
    expect([names('red'), names('blue'), names('big')]).toEqual([['b'], ['a'], []]);
    store.remove(thing('b', 4));
    expect(names('red')).toEqual([]);
    expect(() => store.byIndex('colour', 'red')).toThrow('no index "colour"; there are: label');
  });

  it('property: with own writes seen at once or late and a watch that lags or repeats, it never goes back and ends at the truth', () => {
    const act = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constantFrom('create', 'change', 'delete'),
          name: fc.constantFrom('a', 'b', 'c'),
          own: fc.constantFrom('no', 'at once', 'late'),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom('deliver', 'repeat', 'relist', 'answer'),
          count: fc.integer({ min: 1, max: 4 }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        let version = 0;
        let incarnation = 0;
        const truth = new Map<string, Thing>();
        const log: { kind: 'set' | 'gone'; object: Thing }[] = [];
        const store = new Store<Thing>({ compact, indexers: { value: ({ value }) => [String(value)] } });
        let delivered = 0;
        /** Answers to our writes that are still under way. */
        const answers: (() => void)[] = [];
        const answer = (own: string, take: () => void) => {
          if (own === 'at once') take();
          if (own !== 'late') return;
          store.beginWrite();
          answers.push(() => {
            take();
            store.endWrite();
          });
        };
        /** The highest version of each incarnation that the store has shown: it must not show less later. */
        const shown = new Map<string, number>();
        const deliver = (from: number, to: number) => {
          for (const { kind, object } of log.slice(from, to)) {
            if (kind === 'set') store.upsert(object);
            else store.remove(object);
          }
        };
        for (const step of acts) {
          if ('own' in step) {
            const old = truth.get(step.name);
            if (step.do === 'delete' && old) {
              truth.delete(step.name);
              log.push({
                kind: 'gone',
                object: { ...old, metadata: { ...old.metadata, resourceVersion: String(++version) } },
              });
              // The answer to a deletion is a Status, or the object as it was last.
              answer(step.own, () =>
                version % 2 === 0 ? store.bury({ name: step.name }, old.metadata.uid) : store.upsert(old),
              );
            } else if ((step.do === 'create') === (old === undefined) && step.do !== 'delete') {
              const uid = old?.metadata.uid ?? `${step.name}-${++incarnation}`;
              const object = thing(step.name, ++version, { uid, value: version });
              truth.set(step.name, object);
              log.push({ kind: 'set', object });
              answer(step.own, () => store.upsert(object));
            }
          } else if (step.do === 'deliver') {
            deliver(delivered, delivered + step.count);
            delivered = Math.min(log.length, delivered + step.count);
          } else if (step.do === 'repeat') {
            deliver(Math.max(0, delivered - step.count), delivered);
          } else if (step.do === 'answer') {
            for (const take of answers.splice(0, step.count)) take();
          } else {
            const list = store.startList();
            for (const object of truth.values()) store.upsert(object);
            finish(store, list, version, [...truth.keys()]);
            delivered = log.length;
          }
          for (const object of store.values()) {
            const seen = Number(object.metadata.resourceVersion);
            expect(seen).toBeGreaterThanOrEqual(shown.get(object.metadata.uid!) ?? 0);
            shown.set(object.metadata.uid!, seen);
          }
        }
        deliver(delivered, log.length);
        for (const take of answers) take();
        expect([...store.values()].map(({ value }) => value).sort()).toEqual(
          [...truth.values()].map(({ value }) => value).sort(),
        );
        for (const { value } of truth.values()) expect(store.byIndex('value', String(value))).toHaveLength(1);
      }),
      { numRuns: 2_000 },
    );
  });
});

it('a compact object is told as it came, read without what JSON does not have, and a new one at each read', () => {
  const store = new Store<Thing>({ compact: true });
  const object = { ...thing('a', 1), value: undefined };
  expect(store.upsert(object)).toEqual({ type: 'Added', object });
  expect(store.get({ name: 'a' })).toStrictEqual(thing('a', 1));
  expect(store.get({ name: 'a' })).not.toBe(store.get({ name: 'a' }));
});
