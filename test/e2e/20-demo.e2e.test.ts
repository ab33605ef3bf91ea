// The demonstration as a test: a canary, a blue-green and an abort under 200 open sockets and 50 requests a second.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { DevStack } from '../../local/start/stack.ts';
import type { DemoReport } from '../demo/report.ts';
import { render } from '../demo/report.ts';
import { environment } from './platform.ts';

const repository = path.resolve(import.meta.dirname, '../..');

describe('releases under live traffic', () => {
  let report: DemoReport & { wrong: string[] };

  it('[R-304, R-374] lose no acknowledged message and fail no request', async () => {
    const run = promisify(execFile);
    const options = { cwd: repository, env: environment, maxBuffer: 256 * 1024 * 1024 };
    const { stdout } = await run(process.execPath, ['test/demo/demo.ts', '-o', 'json', '--seed', '7'], options).catch(
      (error: unknown) => {
        // The report tells more than the exit code; without one, what was said on the way.
        const { stdout: report, stderr } = error as { stdout?: string; stderr?: string };
        if (report) return { stdout: report };
        throw new Error(stderr, { cause: error });
      },
    );
    report = JSON.parse(stdout) as typeof report;
    console.log(render(report));
    expect(report.wrong).toEqual([]);
    expect(report.requests.requests).toBeGreaterThan(3_000);
    expect(report.messages.acknowledged).toBeGreaterThan(500);
  });

  it('[R-297] go in lockstep to the shares that were asked for', () => {
    const canary = report.weights.filter((w) => w.release === '1.1.0');
    expect(canary.map((w) => w.requested)).toEqual(expect.arrayContaining([10, 50]));
    for (const { requested, observedRequests, samples } of canary) {
      // Four standard deviations of a share of that many requests.
      const spread = 400 * Math.sqrt(((requested / 100) * (1 - requested / 100)) / samples);
      expect(Math.abs(observedRequests - requested)).toBeLessThan(spread + 1);
    }
  });

  it('move sockets by draining, and every move is recovered', () => {
    expect(report.sockets.moved).toBeGreaterThan(200);
    expect(report.sockets.notRecovered).toBe(0);
  });

  it('leave a stack that previews without changes', async () => {
    const { kubeconfig, context } = inject('where');
    await (await DevStack.open({ kind: 'embedded', kubeconfig, context, stack: 'dev' })).previewWithoutChanges();
  });
});
