// The watch over the invariants is watched itself: every one of them is broken on purpose, by acts in the operator's name, and must be reported.
import { deployments, silentLogger, pods } from '@assistant-platform/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { assistantDeployments } from '../../../operator/controller/resources.ts';
import { ownerReference } from '../../../operator/rollout/objects.ts';
import type { Status } from '../../../operator/rollout/state.ts';
import { httpRoutes, toHttpRoute } from '../../../operator/traffic/httpRoute.ts';
import { Chance } from '../random.ts';
import { People } from '../schedule/people.ts';
import { STRATEGIES, SUBJECT } from '../schedule/specs.ts';
import { calm } from '../server/network.ts';
import { Cluster } from '../world/cluster.ts';
import { OPERATOR, OperatorProcess } from '../world/operator.ts';
import { InvariantWatch } from './invariants.ts';
import { ownedBy, truth } from './truth.ts';
import { Weather } from './weather.ts';

let cluster: Cluster;
let watch: InvariantWatch;
let people: People;
let operator: OperatorProcess;

const status = (): Status => people.subject?.status ?? {};
const broken = (): number[] => [...new Set(watch.violations.map(({ invariant }) => invariant))];
const update = (): string => status().updateRevision?.hash ?? '';
const as = { by: OPERATOR };

/** Writes other weights into a route, in the operator's name. */
function reweigh(component: string, weight: (revision: string) => number): void {
  const facts = truth(cluster, SUBJECT);
  const intent = facts.route(component)?.intent;
  if (!intent) throw new Error(`there is no route of ${component}`);
  const owner = { ...SUBJECT, reference: ownerReference(facts.subject) };
  const backends = intent.backends.map((backend) => ({ ...backend, weight: weight(backend.revision) }));
  cluster.server.apply(httpRoutes, { ...toHttpRoute(owner, { ...intent, backends }, null) }, { ...as, force: true });
}

function writeStatus(change: Partial<Status>): void {
  const live = cluster.server.get(assistantDeployments, SUBJECT);
  cluster.server.update(
    assistantDeployments,
    { ...live, status: { ...live.status, ...change } },
    { ...as, subresource: 'status' },
  );
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    await cluster.clock.advance(250);
    watch.moment();
  }
}

/** 1.1.0 waits at 20 %, and the operator is gone: whatever happens from here is done by the test. */
beforeEach(async () => {
  const chance = new Chance(1);
  cluster = new Cluster(chance);
  watch = new InvariantWatch(cluster, SUBJECT, new Weather());
  people = new People(cluster.server, () => undefined);
  operator = new OperatorProcess({
    ...{ cluster, network: calm, chance: chance.part('operator'), identity: 'operator', logger: silentLogger },
    onEnd: () => undefined,
  });
  people.create(STRATEGIES.held);
  await pass(5000);
  people.release('1.1.0');
  await pass(30_000);
  expect(status().blockedBy?.map(({ reason }) => reason)).toEqual(['CanaryPauseStep']);
  expect(watch.violations).toEqual([]);
  operator.kill();
});

describe('the watch over the invariants reports', () => {
  it('1: traffic for a revision where nobody answers', async () => {
    for (const { metadata } of ownedBy(cluster, deployments, SUBJECT))
      if (metadata.name.endsWith(update())) cluster.server.patch(deployments, metadata, { spec: { replicas: 0 } }, as);
    await pass(3000);
    expect(broken()).toContain(1);
  });

  it('2: weights that do not sum to 100, and weight for a revision without pods', async () => {
    reweigh('chat', () => 30);
    expect(watch.violations.map(({ message }) => message)).toContain('the weights of chat sum to 60');
    for (const { metadata } of ownedBy(cluster, deployments, SUBJECT))
      if (metadata.name.endsWith(update())) cluster.server.patch(deployments, metadata, { spec: { replicas: 0 } }, as);
    await pass(3000);
    reweigh('chat', (revision) => (revision === update() ? 60 : 40));
    expect(watch.violations.map(({ message }) => message)).toContain(
      `chat gives 60 % to ${update()}, which has no available pods`,
    );
  });

  it('3: a pod with open sessions that is taken away before its deadline', async () => {
    const stable = status().stableRevision?.hash ?? '';
    const holding = ownedBy(cluster, pods, SUBJECT).some(
      ({ metadata }) => (cluster.sessions.of(metadata.uid ?? '')?.open ?? 0) > 0,
    );
    expect(holding).toBe(true);
    cluster.server.patch(
      deployments,
      { namespace: SUBJECT.namespace, name: `${SUBJECT.name}-chat-${stable}` },
      { spec: { replicas: 0 } },
      as,
    );
    await pass(500);
    expect(broken()).toContain(3);
  });

  it('4: a weight that falls while the rollout goes forward', () => {
    reweigh('chat', (revision) => (revision === update() ? 5 : 95));
    expect(broken()).toContain(4);
  });

  it('5: a step that is completed while the components differ', () => {
    reweigh('chat', (revision) => (revision === update() ? 40 : 60));
    const { step } = status();
    if (step === undefined) throw new Error('no step in the status');
    writeStatus({ step: { ...step, index: step.index + 1 } });
    expect(broken()).toContain(5);
  });

  it('6: traffic for an aborted revision, long after the abort', async () => {
    const at = new Date(cluster.clock.now()).toISOString();
    writeStatus({ abort: { at, reason: 'a test', by: 'User' } });
    await pass(5000);
    expect(broken()).not.toContain(6);
    await pass(60_000);
    expect(broken()).toContain(6);
  });

  it('8: writes without an end', async () => {
    for (let round = 0; round < 410; round++)
      reweigh('chat', (revision) => (revision === update() ? 20 + (round % 2) : 80 - (round % 2)));
    await pass(250);
    expect(broken()).toContain(8);
  });

  it('9: what is left behind', async () => {
    cluster.server.patch(assistantDeployments, SUBJECT, { metadata: { finalizers: null } }, { by: 'person' });
    people.delete();
    watch.checkLeftovers();
    expect(broken()).toEqual([9]);
    const before = watch.violations.length;
    // The garbage collector takes what names its owner; what a drain needs does not, and waits for the operator, which does not run here.
    await pass(5000);
    watch.checkLeftovers();
    const left = watch.violations.slice(before).filter(({ invariant }) => invariant === 9);
    expect(left.length).toBeGreaterThan(0);
    for (const { message } of left)
      expect(message).toMatch(/^(deployments|replicasets|pods|controllerrevisions|secrets)([.]apps)? /);
  });

  it('10: a routed weight that no gateway carries, and Ready without reason', () => {
    writeStatus({ weight: { requested: 60, routed: 60 } });
    expect(watch.violations.map(({ message }) => message)).toContain('routed 60 claimed, but chat really carries 20');
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'x',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    } as const;
    writeStatus({ conditions: [ready] });
    expect(watch.violations.map(({ message }) => message)).toContain('Ready, but the spec asks for another revision');
  });
});
