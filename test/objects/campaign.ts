// The whole campaign: so many valid objects and so many with one mistake each, several at a time, counted by kind; what fails is shrunk.
import type { AssistantDeployment } from '@assistant-platform/api';
import { Chance } from '../simulator/random.ts';
import { drawAssistant } from './draw/assistant.ts';
import { type Bench, judgeInvalid, judgePodMistake, judgeValid, type Refuser, type Verdict } from './judge.ts';
import { missingReferences, refusedPods, withPodMistake } from './mistakes/kubernetes.ts';
import { memberSites } from './mistakes/members.ts';
import { label, type Mistake, type Site } from './mistakes/mistake.ts';
import { shapeSites } from './mistakes/shape.ts';
import { textSites } from './mistakes/texts.ts';
import { assistantSchema, fieldsOf, type Json } from './schema.ts';
import { shrinkObject } from './shrink.ts';

export type Half = 'valid' | 'invalid';

export interface CampaignOptions {
  readonly seed: number;
  /** Objects of each half. */
  readonly count: number;
  /** Only this one of a half: to replay. */
  readonly only?: { readonly half: Half; readonly number: number };
  /** Requests at a time. */
  readonly parallel: number;
  /** What the operator makes of every so many-th valid object is put to the API server as well. */
  readonly appliesEach: number;
  readonly tell: (half: Half, done: number) => void;
}

/** One that should not have been. */
export interface Failure {
  readonly half: Half;
  readonly number: number;
  readonly what: string;
  readonly problem: string;
  readonly smallest: Json;
}

/** How often a kind of mistake was made, and who refused it. */
export interface Tally {
  made: number;
  exact: number;
  readonly by: Partial<Record<Refuser, number>>;
}

export interface CampaignResult {
  readonly kinds: ReadonlyMap<string, Tally>;
  /** Places and rules that a mistake was made at, of all there are. */
  readonly sites: { readonly made: number; readonly all: number };
  readonly accepted: number;
  /** Requests to the API server. */
  readonly requests: number;
  readonly failures: readonly Failure[];
}

const schema = assistantSchema();

/** Every mistake that the schema allows to make. */
export const SITES: readonly Site[] = [...shapeSites(schema), ...textSites(schema), ...memberSites(schema)];

/** How many objects are drawn until one has the place of a mistake. */
const DRAWS_AT_MOST = 2000;

const plain = (object: AssistantDeployment): Json => JSON.parse(JSON.stringify(object)) as Json;

/** A valid object, by seed and number. */
export const validObject = (seed: number, number: number): Json =>
  plain(drawAssistant(new Chance(seed).part(`valid ${number}`)));

/** An object with the mistake of a site. @throws Error when no drawn object allows it. */
export function mistakenObject(chance: Chance, site: Site): Mistake {
  for (let draw = 0; draw < DRAWS_AT_MOST; draw++) {
    const object = plain(drawAssistant(chance));
    const fields = fieldsOf(schema, object).filter(({ place }) => place === site.place);
    if (fields.length === 0) continue;
    const mistake = site.make(chance, chance.pick(fields), object);
    if (mistake !== null) return { ...mistake, object: JSON.parse(JSON.stringify(mistake.object)) as Json };
  }
  throw new Error(`${DRAWS_AT_MOST} objects were drawn, and none allows ${label(site)}`);
}

/** Sites and mistakes of pods in turn, each round in an order of its own, so that a small count is spread as well as a large one. */
export async function runCampaign(bench: Bench, options: CampaignOptions): Promise<CampaignResult> {
  const { seed, count, only, parallel, tell } = options;
  const kinds = new Map<string, Tally>();
  const made = new Set<number>();
  const failures: Failure[] = [];
  let accepted = 0;
  const numbers = (half: Half): number[] =>
    only === undefined
      ? Array.from({ length: count }, (_each, index) => index)
      : only.half === half
        ? [only.number]
        : [];
  await eachOf(numbers('invalid'), parallel, async (number) => {
    const { kind, index, verdict, failure } = await playInvalid(bench, seed, number);
    made.add(index);
    const tally = kinds.get(kind) ?? { made: 0, exact: 0, by: {} };
    kinds.set(kind, tally);
    tally.made += 1;
    if (verdict.exact) tally.exact += 1;
    if (verdict.by !== null) tally.by[verdict.by] = (tally.by[verdict.by] ?? 0) + 1;
    if (failure !== null) failures.push(failure);
    tell('invalid', number + 1);
  });
  await eachOf(numbers('valid'), parallel, async (number) => {
    const failure = await playValid(bench, seed, number, number % options.appliesEach === 0);
    if (failure === null) accepted += 1;
    else failures.push(failure);
    tell('valid', number + 1);
  });
  return { kinds, sites: { made: made.size, all: TURNS }, accepted, requests: bench.requests, failures };
}

const PODS = [
  ...missingReferences.map((mistake) => ({ mistake, references: 'Missing' as const })),
  ...refusedPods.map((mistake) => ({ mistake, references: 'There' as const })),
];
const TURNS = SITES.length + PODS.length;

/** Which mistake a number stands for: every round of TURNS numbers has each once. */
function turnOf(seed: number, number: number): number {
  const round = Math.floor(number / TURNS);
  const order = shuffled(new Chance(seed).part(`round ${round}`), TURNS);
  return order[number % TURNS] ?? 0;
}

function shuffled(chance: Chance, length: number): number[] {
  const order = Array.from({ length }, (_each, index) => index);
  for (let at = length - 1; at > 0; at--) {
    const other = chance.integer(0, at);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

interface Played {
  readonly kind: string;
  readonly index: number;
  readonly verdict: Verdict;
  readonly failure: Failure | null;
}

async function playInvalid(bench: Bench, seed: number, number: number): Promise<Played> {
  const index = turnOf(seed, number);
  const chance = new Chance(seed).part(`invalid ${number}`);
  const site = SITES[index];
  if (site === undefined) return playPod(bench, { number, index, chance });
  const { object, path } = mistakenObject(chance, site);
  const verdict = await judgeInvalid(bench, object, path);
  if (verdict.problem === null) return { kind: site.kind, index, verdict, failure: null };
  const smallest = await shrinkObject(
    object,
    path,
    async (smaller) =>
      (await judgeInvalid(bench, smaller, path)).problem?.slice(0, 15) === verdict.problem?.slice(0, 15),
  );
  const failure = { half: 'invalid', number, what: label(site), problem: verdict.problem, smallest } as const;
  return { kind: site.kind, index, verdict, failure };
}

async function playPod(
  bench: Bench,
  { number, index, chance }: { number: number; index: number; chance: Chance },
): Promise<Played> {
  const turn = PODS[index - SITES.length];
  if (turn === undefined) throw new Error(`there is no mistake ${index}`);
  const { mistake, references } = turn;
  const object = withPodMistake(chance, plain(drawAssistant(chance)), mistake);
  const verdict = await judgePodMistake(bench, object, mistake, references);
  const kind = references === 'Missing' ? 'MissingReference' : 'RefusedPod';
  const problem = verdict.problem;
  return {
    kind,
    index,
    verdict,
    failure: problem === null ? null : { half: 'invalid', number, what: mistake.title, problem, smallest: object },
  };
}

async function playValid(bench: Bench, seed: number, number: number, applies: boolean): Promise<Failure | null> {
  const object = validObject(seed, number);
  const [problem] = await judgeValid(bench, object, applies);
  if (problem === undefined) return null;
  // The same complaint, up to its particulars.
  const alike = problem.slice(0, 20);
  const smallest = await shrinkObject(object, ['metadata', 'name'], async (smaller) =>
    (await judgeValid(bench, smaller, applies)).some((each) => each.startsWith(alike)),
  );
  return { half: 'valid', number, what: 'a valid object', problem, smallest };
}

/** Works on all items, so many at a time. */
async function eachOf<T>(items: readonly T[], parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
