// What people do: edits of the spec and verbs. Each that a world allows happens at most once in a behaviour, at any moment.
import { VERBS } from '@assistant-platform/api';
import type { Step } from './environment.ts';
import type { Spec, StrategyName } from './specs.ts';
import type { ModelSubject, State } from './state.ts';

type Deed = (state: State, subject: ModelSubject) => State | null;

const edit =
  (change: (spec: Spec) => Partial<Spec>): Deed =>
  (state, subject) => {
    const spec = { ...subject.spec, ...change(subject.spec) };
    if (subject.deleting || JSON.stringify(spec) === JSON.stringify(subject.spec)) return null;
    return { ...state, subject: { ...subject, spec, generation: subject.generation + 1 } };
  };

const annotate =
  (key: string, value: string): Deed =>
  (state, subject) => {
    if (subject.deleting || subject.annotations[key] !== undefined) return null;
    const sorted = Object.entries({ ...subject.annotations, [key]: value }).sort(([a], [b]) => (a < b ? -1 : 1));
    return { ...state, subject: { ...subject, annotations: Object.fromEntries(sorted) } };
  };

const release = (version: string): Deed => edit(() => ({ version }));
const edited: Readonly<Partial<Record<StrategyName, StrategyName>>> = {
  canary: 'canary, edited',
  'blue-green': 'blue-green, edited',
};
const other: Readonly<Partial<Record<StrategyName, StrategyName>>> = {
  canary: 'blue-green',
  'blue-green': 'canary',
};

/** Every deed by its name. */
const DEEDS = {
  'release 1.1.0': release('1.1.0'),
  'release 1.1.0 again': release('1.1.0'),
  'release 1.2.0': release('1.2.0'),
  'back to 1.0.0': release('1.0.0'),
  'release 9.0.1': release('9.0.1'),
  'release 9.0.2': release('9.0.2'),
  'release 9.0.3': release('9.0.3'),
  'release 9.0.4': release('9.0.4'),
  'promote step': annotate(VERBS.promote, 'step'),
  'promote full': annotate(VERBS.promote, 'full'),
  abort: annotate(VERBS.abort, 'bad'),
  retry: annotate(VERBS.retry, ''),
  restart: annotate(VERBS.restart, '2026-01-31T12:00:00Z'),
  pause: edit(() => ({ paused: true })),
  resume: edit(() => ({ paused: false })),
  'edit the steps': edit(({ strategy }) => ({ strategy: edited[strategy] ?? strategy })),
  'change the strategy': edit(({ strategy }) => ({ strategy: other[strategy] ?? strategy })),
  'three pods each': edit(() => ({ replicas: 3 })),
  'one pod each': edit(() => ({ replicas: 1 })),
  'read the settings': edit(() => ({ settings: true })),
  'write the settings': (state) => withSettings(state, 'one'),
  'change the settings': (state) =>
    state.references['ConfigMap/settings'] === 'one' ? withSettings(state, 'two') : null,
  // What has no finalizer the API server removes at once.
  delete: (state, subject) => {
    if (subject.deleting) return null;
    return { ...state, subject: subject.finalizers.length === 0 ? null : { ...subject, deleting: true } };
  },
} satisfies Record<string, Deed>;

export type DeedName = keyof typeof DEEDS;

const withSettings = (state: State, digest: string): State | null =>
  state.references['ConfigMap/settings'] === digest
    ? null
    : { ...state, references: { ...state.references, 'ConfigMap/settings': digest } };

/** What people may still do. */
export function deeds(state: State): Step[] {
  const { subject, left } = state;
  if (subject === null) return [];
  return (left.people as readonly DeedName[]).flatMap((name): Step[] => {
    const next = DEEDS[name](state, subject);
    const rest = { ...left, people: left.people.filter((each) => each !== name) };
    return next === null ? [] : [{ label: `a person: ${name}`, next: { ...next, left: rest } }];
  });
}
