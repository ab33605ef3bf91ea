import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_INSTANCES, TEST_RANGE, addressPlan, contains, freeIndex } from './addresses.ts';

describe('address plan', () => {
  it('gives the first instance the first /20 of the test range', () => {
    expect(addressPlan(0)).toEqual({
      index: 0,
      range: '198.18.0.0/20',
      pods: '198.18.0.0/22',
      services: '198.18.4.0/22',
      link: '198.18.8.0/30',
      host: '198.18.8.1',
      node: '198.18.8.2',
      kubernetesService: '198.18.4.1',
      dnsService: '198.18.4.10',
    });
  });

  it('keeps every address of every instance inside the test range and the node outside the Service network', () => {
    for (let index = 0; index < MAX_INSTANCES; index++) {
      const plan = addressPlan(index);
      for (const address of [plan.host, plan.node, plan.kubernetesService, plan.dnsService]) {
        expect(contains(TEST_RANGE, address)).toBe(true);
        expect(contains(plan.range, address)).toBe(true);
      }
      expect(contains(plan.services, plan.kubernetesService)).toBe(true);
      expect(contains(plan.services, plan.dnsService)).toBe(true);
      expect(contains(plan.services, plan.node)).toBe(false);
      expect(contains(plan.pods, plan.node)).toBe(false);
      expect(contains(plan.link, plan.node) && contains(plan.link, plan.host)).toBe(true);
    }
  });

  it('never lets two instances share an address', () => {
    const index = fc.integer({ min: 0, max: MAX_INSTANCES - 1 });
    fc.assert(
      fc.property(index, index, fc.integer({ min: 0, max: 4095 }), (a, b, offset) => {
        fc.pre(a !== b);
        const start = addressPlan(a).range.split('/')[0]!.split('.').map(Number);
        const address = `${start[0]}.${start[1]}.${start[2]! + Math.floor(offset / 256)}.${offset % 256}`;
        expect(contains(addressPlan(a).range, address)).toBe(true);
        expect(contains(addressPlan(b).range, address)).toBe(false);
      }),
    );
  });

  it('refuses an index outside 0 to 31', () => {
    for (const index of [-1, 32, 1.5, Number.NaN]) expect(() => addressPlan(index)).toThrow(/0 to 31/);
  });
});

describe('free index', () => {
  const all = new Set(Array.from({ length: MAX_INSTANCES }, (_, index) => index));

  it('is the lowest that nobody runs with or has kept data of', () => {
    expect(freeIndex(new Set(), new Set())).toBe(0);
    expect(freeIndex(new Set([0, 3]), new Set([1]))).toBe(2);
  });

  it('is one of stopped instances only when there is no other', () => {
    expect(freeIndex(new Set([0]), all)).toBe(1);
  });

  it('says what to do when all networks are taken', () => {
    expect(() => freeIndex(all, new Set())).toThrow(/npm run stop/);
  });
});
