import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_TAGS } from '../../infra/config.ts';
import { BASES } from './bases.ts';
import { allImages, DEMO_IMAGES, DEMO_RELEASES, findImage, IMAGE_NAMES, imageOfRef, refOf } from './catalogue.ts';
import { parseContainerfile } from './containerfile.ts';
import { baseOf, planImage } from './plan.ts';
import { isSource } from './sources.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

describe('findImage', () => {
  test.each([
    ['chat', 'localhost/assistant/chat:1.0.0'],
    ['chat@1.1.0', 'localhost/assistant/chat:1.1.0'],
    ['realtime@1.3.0', 'localhost/assistant/realtime:1.3.0'],
    ['redis', 'localhost/assistant/redis:9.1.2'],
    ['redis@9.1.2', 'localhost/assistant/redis:9.1.2'],
  ])('%s is %s', (spec, ref) => {
    expect(refOf(findImage(spec))).toBe(ref);
    expect(imageOfRef(ref)).toEqual(findImage(spec));
  });

  test.each([
    ['chet', 'There is no image "chet"'],
    ['chat@', 'There is no image'],
    ['chat@latest', 'the version must be numbers'],
    ['redis@8.0.0', 'redis exists only in version 9.1.2'],
  ])('refuses %s', (spec, message) => {
    expect(() => findImage(spec)).toThrow(message);
  });

  test('an image of somebody else is none of ours', () => {
    expect(imageOfRef('docker.io/library/chat:1.0.0')).toBeUndefined();
  });
});

const everything = [...allImages(), ...DEMO_RELEASES.map((release) => findImage(`chat@${release}`))];

test.each(everything.map((image) => [refOf(image), image] as const))(
  '%s has a Containerfile that can be built here, does not run as root and starts by itself',
  async (_ref, image) => {
    const file = image.containerfile;
    const instructions = parseContainerfile(await readFile(join(REPOSITORY, file), 'utf8'), file);
    const from = baseOf(instructions, file, new Map());
    expect(Object.keys(BASES).includes(from) || from === 'scratch' || imageOfRef(from) !== undefined).toBe(true);
    const { config } = planImage(instructions, file, new Map(), {});
    if (imageOfRef(from) !== undefined) return;
    expect(config.User).toBe('1000:1000');
    expect(config.Entrypoint?.length).toBeGreaterThan(0);
  },
);

test('the stack runs the versions that are built', () => {
  const versions = new Map<string, string>(allImages().map((image) => [image.name, image.version]));
  expect(Object.entries(DEFAULT_TAGS).map(([name]) => [name, versions.get(name)])).toEqual(
    Object.entries(DEFAULT_TAGS),
  );
});

test('the demonstration can have every release of both services', () => {
  expect(DEMO_IMAGES.map((spec) => refOf(findImage(spec)))).toContain('localhost/assistant/realtime:1.3.0');
  expect(DEMO_IMAGES).toHaveLength(2 * (DEMO_RELEASES.length - 1));
});

test('every name has an image', () => {
  expect(allImages().map((image) => image.name)).toEqual([...IMAGE_NAMES]);
});

test.each([
  ['main.ts', true],
  ['answers/engine.ts', true],
  ['answers/engine.test.ts', false],
  ['README.md', false],
  ['node_modules', false],
  ['dist', false],
])('%s counts as a source of a bundle: %s', (path, counts) => {
  expect(isSource(path)).toBe(counts);
});
