import { describe, expect, test } from 'vitest';
import { parseContainerfile } from './containerfile.ts';
import { baseOf, type ContainerConfig, planImage } from './plan.ts';

const plan = (text: string, args: Record<string, string> = {}, base: ContainerConfig = {}) =>
  planImage(parseContainerfile(text, 'f'), 'f', new Map(Object.entries(args)), base);

describe('planImage', () => {
  test('puts build arguments into labels and environment', () => {
    const text = 'FROM scratch\nARG VERSION=1.0.0\nENV V=${VERSION}\nLABEL version=$VERSION';
    expect(plan(text).config).toMatchObject({ Env: ['V=1.0.0'], Labels: { version: '1.0.0' } });
    expect(plan(text, { VERSION: '1.1.0' }).config).toMatchObject({ Env: ['V=1.1.0'], Labels: { version: '1.1.0' } });
  });

  test('a build argument that no ARG takes is an error, since it would silently do nothing', () => {
    expect(() => plan('FROM scratch', { VERSION: '1' })).toThrow('no ARG VERSION takes it');
  });

  test('takes over what the base says, and replaces it where the file says something else', () => {
    const base: ContainerConfig = {
      Env: ['PATH=/bin', 'A=1'],
      Entrypoint: ['base'],
      Cmd: ['arg'],
      User: '5',
      WorkingDir: '/base',
      Labels: { z: '1' },
      ExposedPorts: { '80/tcp': {} },
    };
    expect(plan('FROM x', {}, base).config).toEqual(base);
    const changed = plan(
      'FROM x\nENV PATH=/mine:$PATH\nENTRYPOINT ["mine"]\nUSER 1000:1000\nEXPOSE 53/udp',
      {},
      base,
    ).config;
    expect(changed).toMatchObject({ Env: ['PATH=/mine:/bin', 'A=1'], Entrypoint: ['mine'], User: '1000:1000' });
    expect(changed.ExposedPorts).toEqual({ '53/udp': {}, '80/tcp': {} });
    // The base's CMD was for the base's entry point.
    expect(changed.Cmd).toBeUndefined();
  });

  test('resolves copies against WORKDIR', () => {
    const { steps } = plan('FROM scratch\nWORKDIR /a\nWORKDIR b\nCOPY x y ./\nCOPY --chown=7 d e');
    expect(steps).toMatchObject([
      { kind: 'folder', path: '/a' },
      { kind: 'folder', path: '/a/b' },
      { kind: 'copy', sources: ['x', 'y'], destination: '/a/b', intoFolder: true, uid: 0 },
      { kind: 'copy', sources: ['d'], destination: '/a/b/e', intoFolder: false, uid: 7, gid: 7 },
    ]);
  });

  test.each([
    ['USER node', 'give numbers'],
    ['COPY --chown=node:node a b', 'give numbers'],
    ['COPY a b /c', 'must end with "/"'],
    ['COPY ../a /b', 'outside the build context'],
    ['EXPOSE http', 'give a port'],
    ['EXPOSE 70000', 'give a port'],
  ])('refuses %s, naming the line', (instruction, message) => {
    expect(() => plan(`FROM scratch\n${instruction}`)).toThrow(`f:2: `);
    expect(() => plan(`FROM scratch\n${instruction}`)).toThrow(message);
  });

  test('FROM may use an ARG that stands before it', () => {
    const instructions = parseContainerfile('ARG TAG=24\nFROM node:$TAG', 'f');
    expect(baseOf(instructions, 'f', new Map())).toBe('node:24');
    expect(baseOf(instructions, 'f', new Map([['TAG', '25']]))).toBe('node:25');
  });
});
