// The generator itself: it reaches the whole schema, every mistake can be made, and a seed replays exactly.
import { describe, expect, it } from 'vitest';
import { Chance } from '../simulator/random.ts';
import { mistakenObject, SITES, validObject } from './campaign.ts';
import { label } from './mistakes/mistake.ts';
import { assistantSchema, fieldsOf, names, nodesOf } from './schema.ts';
import { shrinkObject } from './shrink.ts';

const SEED = 7;
const schema = assistantSchema();

describe('generated objects', () => {
  it('reach every field of the schema and every choice', () => {
    const seen = new Set<string>();
    for (let number = 0; number < 1500; number++) {
      for (const { place, node, value } of fieldsOf(schema, validObject(SEED, number)))
        seen.add(node.enum === undefined ? place : `${place}=${String(value)}`);
    }
    const wanted = nodesOf(schema).flatMap(({ place, node }) =>
      node.enum === undefined ? [place] : node.enum.map((choice) => `${place}=${String(choice)}`),
    );
    expect(wanted.length).toBeGreaterThan(150);
    expect(wanted.filter((place) => !seen.has(place))).toEqual([]);
  });

  it('are the same for the same seed and number, and others for another', () => {
    expect(validObject(SEED, 3)).toEqual(validObject(SEED, 3));
    expect(validObject(SEED, 3)).not.toEqual(validObject(SEED + 1, 3));
  });
});

describe('mistakes', () => {
  it('can be made at every place and for every rule, each at a path of its own place', () => {
    expect(SITES.length).toBeGreaterThan(400);
    for (const site of SITES)
      expect(() => mistakenObject(new Chance(SEED).part(label(site)), site), label(site)).not.toThrow();
  });

  it('are named by the field itself or by one that contains it, however the API server spells it', () => {
    const mistaken = 'spec.components.chat.env[1].name';
    expect(names('spec.components[chat].env[1].name', mistaken)).toBe(true);
    expect(names('spec.components', mistaken)).toBe(true);
    expect(names('spec.components.chat.env[1', mistaken)).toBe(false);
    expect(names('spec.components.chat.env[11]', mistaken)).toBe(false);
    expect(names('spec.metrics', mistaken)).toBe(false);
  });

  it('are shrunk to what makes them fail', async () => {
    const object = validObject(SEED, 3);
    const path = ['spec', 'gateway', 'parentRef', 'name'];
    const smallest = await shrinkObject(object, path, () => Promise.resolve(true), 1000);
    expect(Object.keys(smallest['spec'] as object)).toEqual(['gateway']);
  });
});
