// `status --watch` in a real pseudo-terminal: what a person sees, and what Ctrl-C does.
import { describe, expect, test } from 'vitest';
import { at, ownNamespaces, place, sceneStatus, setStatus } from './testing/cluster.ts';
import { inTerminal } from './testing/terminal.ts';

ownNamespaces();

describe('[R-299] status --watch in a terminal', () => {
  test('redraws one tree in place until it is decided, and leaves it there', async () => {
    await place('drawn', 'canary-analysis');
    const terminal = inTerminal(['status', 'drawn', '--watch', ...at]);
    await terminal.shows(/▶ analysis of error-rate, ttft for 3m since/);
    expect(terminal.screen.cursorVisible).toBe(false);
    await setStatus('drawn', sceneStatus('canary-paused'));
    await terminal.shows(/▶ pause until promoted since/);
    // In place: nothing of what was shown before is left, above or below.
    expect(terminal.screen.text.match(/^drawn /gm)).toHaveLength(1);
    expect(terminal.screen.text).not.toContain('▶ analysis');
    await setStatus('drawn', sceneStatus('healthy'));
    expect(await terminal.code, terminal.screen.text).toBe(0);
    expect(terminal.screen.text).toMatch(/^drawn {2}Healthy/);
    expect(terminal.screen.text.match(/^drawn /gm)).toHaveLength(1);
    expect(terminal.screen.cursorVisible).toBe(true);
    expect(terminal.raw()).toContain('\u001b[32mHealthy');
  });

  test('its times move on by themselves', async () => {
    await place('ticking', 'canary-paused', {
      status: { step: { index: 6, count: 7, stepsHash: 'ab12', startedAt: new Date().toISOString() } },
    });
    const terminal = inTerminal(['status', 'ticking', '--watch', ...at]);
    await terminal.shows(/▶ pause until promoted since [1-9]s/);
    const [first = ''] = /since [0-9]+s/.exec(terminal.screen.text) ?? [];
    await terminal.shows(new RegExp(`since (?!${first.slice(6)})[0-9]+s`));
    terminal.interrupt();
    expect(await terminal.code).toBe(130);
  });

  test('Ctrl-C ends it with 130 and gives the cursor back', async () => {
    await place('interrupted', 'canary-paused');
    const terminal = inTerminal(['status', 'interrupted', '--watch', ...at]);
    await terminal.shows(/▶ pause until promoted/);
    terminal.interrupt();
    expect(await terminal.code).toBe(130);
    expect(terminal.screen.cursorVisible).toBe(true);
    expect(terminal.screen.text.match(/^interrupted /gm)).toHaveLength(1);
  });

  test('on a small screen it stays within it, however often it is redrawn', async () => {
    await place('small', 'canary-analysis');
    const terminal = inTerminal(['status', 'small', '--watch', ...at], { rows: 12, columns: 44 });
    await terminal.shows(/… \d+ more lines/);
    for (const title of ['canary-paused', 'canary-analysis', 'canary-paused'] as const) {
      await setStatus('small', sceneStatus(title));
      await terminal.shows(title === 'canary-paused' ? /^small {2}Paused/ : /^small {2}Progressing/);
    }
    const lines = terminal.screen.text.split('\n');
    expect(lines.filter((line) => line.startsWith('small '))).toHaveLength(1);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(44);
    terminal.interrupt();
    expect(await terminal.code).toBe(130);
  });

  test('NO_COLOR draws without colours', async () => {
    await place('plain', 'canary-paused');
    const terminal = inTerminal(['status', 'plain', '--watch', ...at], { colours: false });
    await terminal.shows(/▶ pause until promoted/);
    await setStatus('plain', sceneStatus('aborted'));
    expect(await terminal.code).toBe(1);
    expect(terminal.raw()).not.toMatch(/\u001b\[[0-9;]*m/);
  });
});
