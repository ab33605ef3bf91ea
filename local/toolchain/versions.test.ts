import { describe, expect, it } from 'vitest';
import { chooseToolchain } from './go.ts';
import { isUsable } from './path-tools.ts';
import { compareVersions, formatVersion, isAtLeast, parseVersion } from './versions.ts';

const version = (text: string) => parseVersion(text)!;

describe('parseVersion', () => {
  it.each([
    ['go version go1.26.8 linux/amd64', '1.26.8'],
    ['go version go1.25 linux/amd64', '1.25.0'],
    ['v3.259.0', '3.259.0'],
    ['v4.1.4+g1a2b3c4', '4.1.4'],
    ['Client Version: v1.35.2\nKustomize Version: v5.7.1', '1.35.2'],
    ['pip 24.0 from /usr/lib/python3.11/dist-packages/pip (python 3.11)', '24.0.0'],
    ['Python 3.11.2', '3.11.2'],
  ])('reads %j as %s', (text, expected) => {
    expect(formatVersion(version(text))).toBe(expected);
  });

  it('finds none in text without one', () => {
    expect(parseVersion('devel +abc')).toBeUndefined();
    expect(parseVersion('')).toBeUndefined();
  });
});

describe('compareVersions', () => {
  it('compares numbers, not text', () => {
    expect(compareVersions(version('1.9.0'), version('1.10.0'))).toBeLessThan(0);
    expect(compareVersions(version('2.0.0'), version('1.99.99'))).toBeGreaterThan(0);
    expect(compareVersions(version('1.2.3'), version('v1.2.3'))).toBe(0);
    expect(isAtLeast(version('1.2.3'), version('1.2.3'))).toBe(true);
  });
});

describe('isUsable', () => {
  it.each([
    ['pulumi', 'v3.258.0', false],
    ['pulumi', 'v3.259.0', true],
    ['pulumi', 'v4.0.0', false],
    ['helm', 'v3.16.4', false],
    ['helm', 'v3.17.0', true],
    ['helm', 'v4.1.4', true],
    ['helm', 'v5.0.0', false],
    ['kubectl', 'v1.33.9', false],
    ['kubectl', 'v1.34.0', true],
    ['kubectl', 'v1.36.1', true],
    ['kubectl', 'v1.37.0', false],
  ] as const)('%s %s: %s', (tool, text, expected) => {
    expect(isUsable(tool, version(text))).toBe(expected);
  });
});

describe('chooseToolchain', () => {
  it('uses the installed Go when it is new enough, and otherwise a pinned one from the module proxy', () => {
    expect(chooseToolchain(version('1.26.0'))).toBe('local');
    expect(chooseToolchain(version('1.27.3'))).toBe('local');
    expect(chooseToolchain(version('1.25.4'))).toMatch(/^go1\.26\.\d+$/);
  });
});
