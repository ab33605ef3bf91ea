import { describe, expect, it } from 'vitest';
import { parseStartArguments } from './arguments.ts';

describe('arguments of npm start', () => {
  it('are all optional', () => {
    expect(parseStartArguments([])).toEqual({ help: false, egress: false });
  });

  it('name a cluster and a registry', () => {
    expect(parseStartArguments(['--context', 'kind-a', '--registry=ghcr.io/me/assistant'])).toEqual({
      help: false,
      egress: false,
      context: 'kind-a',
      registry: 'ghcr.io/me/assistant',
    });
  });

  it('are refused where they make no sense, with what to write instead', () => {
    expect(() => parseStartArguments(['--registry', 'x'])).toThrow(/--context/);
    expect(() => parseStartArguments(['--context', 'a', '--egress'])).toThrow(/leave it out/);
    expect(() => parseStartArguments(['--context', ''])).toThrow(/get-contexts/);
    expect(() => parseStartArguments(['--contxt', 'a'])).toThrow(/--contxt/);
  });
});
