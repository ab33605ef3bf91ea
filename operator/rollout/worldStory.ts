// A run of the decision in the model world, told line by line: every write, every change of the status, everything that is told, when it looks again. For
// tests that compare whole releases with what they were (stories.test.ts). Times are seconds since the begin, revisions are r1, r2, ... in order of appearance.
import type { Note } from './decide.ts';
import type { Plan, Write } from './plan-types.ts';
import { sampleRelease } from './releases.ts';
import type { Release } from './release.ts';
import type { DrainWindow, Snapshot } from './snapshot.ts';
import { World } from './world.ts';
import type { WorldOptions } from './worldObjects.ts';
import { WorldRun } from './worldRun.ts';

export class Story {
  readonly world: World;
  readonly #run: WorldRun;
  readonly #lines: string[] = [];
  readonly #begin: number;
  readonly #revisions = new Map<string, string>();
  #after = '';

  constructor(release: Release = sampleRelease('1.0.0'), options: Partial<WorldOptions> = {}) {
    this.world = new World(release, options);
    this.#begin = this.world.now;
    this.#run = new WorldRun(this.world);
    this.#run.onWrite = (write, snapshot) => this.#written(write, snapshot);
    this.#run.onPlan = ({ notes }) => this.#told(notes);
    this.#run.onRest = (plan) => this.#rest(plan);
  }

  /** What of the world an operator sees otherwise. */
  set view(view: (snapshot: Snapshot) => Snapshot) {
    this.#run.view = view;
  }

  /** A person does something. */
  person(what: string, act: (world: World) => void): this {
    this.#lines.push('', `# ${what}`);
    act(this.world);
    this.#run.settle();
    return this;
  }

  /** Time passes; the operator looks whenever something may have changed. */
  pass(ms: number): this {
    this.#run.run(ms);
    return this;
  }

  /** What happened so far is not told. */
  from(): this {
    this.#lines.length = 0;
    return this;
  }

  /** All that happened, as lines. */
  text(): string {
    return `${this.#lines.join('\n').trim()}\n`;
  }

  #written(write: Write, { subject }: Snapshot): void {
    this.#lines.push(`${this.#time(this.world.now)}  ${this.#worded(this.#write(write))}`);
    if (write.kind === 'Status') this.#status(subject.status, write.status);
  }

  #told(notes: readonly Note[]): void {
    for (const { type, reason, message } of notes)
      this.#lines.push(`${this.#time(this.world.now)}  told ${type} ${reason}: ${this.#worded(message)}`);
  }

  /** What it waits for once nothing is left to do at this moment; a line when that is something else than before. */
  #rest({ lookAgainAt, measure, watchSessions }: Plan): void {
    const parts = [
      `looks again ${lookAgainAt === null ? 'when something changes' : `at ${this.#time(lookAgainAt)}`}`,
      ...(watchSessions ? ['watches sessions'] : []),
      ...measure.map(
        ({ metric, since, dueAt, revision, stableRevision }) =>
          `measures ${metric} of ${revision} against ${stableRevision ?? 'nothing'} since ${this.#time(since)} at ${this.#time(dueAt)}`,
      ),
    ];
    const line = this.#worded(parts.join(', '));
    if (line !== this.#after) this.#lines.push(`${this.#time(this.world.now)}  … ${line}`);
    this.#after = line;
  }

  /** The fields of the status that are not what they were. */
  #status(before: object, after: object): void {
    const [old, current] = [flat(before), flat(after)];
    for (const path of [...new Set([...old.keys(), ...current.keys()])].sort()) {
      const [was, is] = [old.get(path), current.get(path)];
      if (was === is) continue;
      this.#lines.push(`        ${path}: ${is === undefined ? '(gone)' : this.#worded(is)}`);
    }
  }

  #write(write: Write): string {
    switch (write.kind) {
      case 'Apply': {
        const spec = write.object['spec'] as { replicas?: number } | undefined;
        const pods = spec?.replicas === undefined ? '' : ` with ${spec.replicas} pods`;
        return `apply ${write.object.kind} ${write.object.metadata.name}${pods}`;
      }
      case 'PatchWorkload':
        return `scale ${write.name} to ${write.replicas}${this.#window(write.drain)}`;
      case 'WriteRoute': {
        const { component, backends, byHeader, stickiness } = write.intent;
        const weights = backends.map(({ revision, weight, port }) => `${revision}=${weight}%:${port}`).join(' ');
        const named = byHeader.map(({ revision, port }) => ` by header ${revision}:${port}`).join('');
        const sides = stickiness.by === 'Bucket' ? ` buckets ${stickiness.update}|${stickiness.stable}` : '';
        return `route ${component} ${weights}${named}${sides}`;
      }
      case 'MarkPod':
        return `mark ${write.pod.name}${this.#window(write.drain)}${write.drain.released === true ? ' released' : ''}`;
      case 'DrainPod':
        return `tell ${write.pod.name} at ${write.adminPort} to drain within ${write.deadlineSeconds} s, ${write.closePerSecond}/s`;
      case 'Delete':
        return `delete ${write.ref.kind} ${write.ref.name}`;
      case 'Metadata':
        return `metadata ${JSON.stringify(write.finalizers ?? write.annotations)}`;
      case 'CreateAdminSecret':
        return `create Secret ${write.name}`;
      case 'CopyReference':
        return `copy ${write.reference} to ${write.name} for ${write.revision}`;
      case 'Status':
        return 'status';
    }
  }

  #window(drain: DrainWindow | null): string {
    return drain === null ? '' : ` draining ${this.#time(drain.startedAt)} to ${this.#time(drain.deadline)}`;
  }

  #time(at: number): string {
    return ((at - this.#begin) / 1000).toFixed(2);
  }

  /** With revisions and times by their short names. */
  #worded(text: string): string {
    return text
      .replaceAll(/\b[0-9a-f]{8}\b/g, (hash) => {
        const known = this.#revisions.get(hash) ?? `r${this.#revisions.size + 1}`;
        this.#revisions.set(hash, known);
        return known;
      })
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => this.#time(Date.parse(time)));
  }
}

/** The parts of a value with their paths: what has only plain members is one text. Conditions go by their type. */
function flat(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return into;
  if (typeof value !== 'object' || value === null) return into.set(path, plain(value));
  const members = Object.entries(value).filter(([name, inner]) => inner !== undefined && !SAYS_NOTHING.has(name));
  if (path !== '' && members.every(([, inner]) => typeof inner !== 'object'))
    return into.set(path, members.map(([name, inner]) => `${name} ${plain(inner)}`).join(', '));
  for (const [key, inner] of members) {
    const name = path === 'conditions' ? (inner as { type: string }).type : key;
    flat(inner, path === '' ? name : `${path}.${name}`, into);
  }
  return into;
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Texts of printed columns, derived from the rest; and what follows from when a line is told. */
const SAYS_NOTHING = new Set(['summary', 'lastTransitionTime']);
