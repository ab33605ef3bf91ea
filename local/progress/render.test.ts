import { describe, expect, it } from 'vitest';
import { cleanLine, cut, formatDuration, formatEstimate, renderLive } from './render.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0.0 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_720_000, '1 h 02 min'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatEstimate', () => {
  it.each([
    [2, 'about 10 s'],
    [44, 'about 40 s'],
    [89, 'about 90 s'],
    [290, 'about 5 min'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatEstimate(seconds)).toBe(text);
  });
});

describe('cleanLine', () => {
  it.each([
    ['colours', '\u001b[1;32mdone\u001b[0m', 'done'],
    ['cursor moves', '\u001b[2K\u001b[1Gpart', 'part'],
    ['titles', '\u001b]0;npm ci\u0007added', 'added'],
    ['lines that overwrite themselves', '10 %\r20 %\r30 %', '30 %'],
    ['line ends of other systems', 'text\r', 'text'],
    ['tabs and bells', 'a\tb\u0007', 'a b'],
  ])('removes %s', (_what, line, expected) => {
    expect(cleanLine(line)).toBe(expected);
  });
});

describe('cut', () => {
  it('marks what it cut', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 5)).toBe('abcd…');
    expect(cut('abcdef', 0)).toBe('');
  });
});

describe('renderLive', () => {
  it('fits into a window however narrow', () => {
    const view = {
      name: 'compile pulumi-resource-kubernetes',
      phase: 'running',
      elapsedMs: 61_000,
      detail: 'x'.repeat(300),
    } as const;
    for (let width = 10; width < 120; width += 1) {
      expect(renderLive(view, 3, { colour: false, width }).length).toBeLessThan(width);
    }
  });
});
