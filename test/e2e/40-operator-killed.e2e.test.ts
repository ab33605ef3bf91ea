// The operator's pods are killed in the middle of every phase of a canary and of a blue-green: the end is the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssistantDeployment } from '@assistant-platform/api';
import { settled } from '../demo/releases.ts';
import { demo, killOperator, kubectl } from './access.ts';

const strategies = {
  Canary: {
    type: 'Canary',
    blueGreen: null,
    canary: {
      steps: [
        { setWeight: 10 },
        { pause: { duration: '3s' } },
        { setWeight: 50 },
        { pause: { duration: '3s' } },
        { setWeight: 100 },
      ],
    },
    drain: { deadline: '10s', closePerSecond: 50 },
  },
  BlueGreen: {
    type: 'BlueGreen',
    canary: null,
    blueGreen: { autoPromote: true, autoPromoteAfter: '3s' },
    drain: { deadline: '10s', closePerSecond: 50 },
  },
} as const;

/** Where a rollout is, as finely as its status tells: a new value is a new phase. */
function phaseOf({ status }: AssistantDeployment): string {
  const { phase, step, weight, draining, blockedBy } = status ?? {};
  return [phase, step?.index, weight?.requested, weight?.routed, draining?.length ?? 0, blockedBy?.[0]?.reason].join(
    '|',
  );
}

async function release(
  strategy: keyof typeof strategies,
  run: string,
  onPhase: (phase: string) => Promise<void>,
): Promise<AssistantDeployment> {
  const releases = demo();
  const { spec } = await releases.read();
  const components = Object.fromEntries(
    Object.keys(spec.components).map((name) => [name, { env: [{ name: 'RUN', value: run }] }]),
  );
  const edited = await releases.edit({ strategy: strategies[strategy], components });
  let seen = '';
  const looks: Promise<void>[] = [];
  const end = await releases.until(settled(edited), {
    timeoutMs: 10 * 60_000,
    what: `release ${run}`,
    onLook: (object) => {
      const phase = phaseOf(object);
      if (phase === seen) return;
      seen = phase;
      looks.push(onPhase(phase));
    },
  });
  await Promise.all(looks);
  return end;
}

describe.each(['Canary', 'BlueGreen'] as const)('[R-300] a %s whose operator is killed', (strategy) => {
  let before: AssistantDeployment;
  beforeAll(async () => {
    before = await demo().read();
  });
  afterAll(async () => {
    await kubectl('rollout', 'status', 'deployment', 'assistant-operator', '-n', 'assistant-system', '--timeout=120s');
  });

  it('in every phase ends as the undisturbed one does', async () => {
    const undisturbed = await release(strategy, `${strategy}-undisturbed-${Date.now()}`, () => Promise.resolve());
    const killedIn = new Set<string>();
    const disturbed = await release(strategy, `${strategy}-disturbed-${Date.now()}`, async (phase) => {
      // Each phase is disturbed once; a phase that comes again after the kill is left to go on.
      if (killedIn.has(phase)) return;
      killedIn.add(phase);
      await killOperator();
    });
    console.log(`${strategy}: killed in ${killedIn.size} phases:\n  ${[...killedIn].join('\n  ')}`);
    expect(killedIn.size).toBeGreaterThanOrEqual(4);
    for (const { status, spec } of [undisturbed, disturbed]) {
      expect(status?.phase).toBe('Healthy');
      expect(status?.stableRevision?.hash).toBe(status?.updateRevision?.hash);
      expect(status?.stableRevision?.release).toBe(spec.release);
      expect(status?.weight?.routed).toBe(undisturbed.status?.weight?.routed);
      expect(status?.abort).toBeUndefined();
      expect(status?.history?.[0]?.outcome).toBe('Promoted');
    }
    expect(disturbed.status?.stableRevision?.hash).not.toBe(before.status?.stableRevision?.hash);
  });
});
