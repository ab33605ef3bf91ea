import { describe, expect, it } from 'vitest';
import { closingLine, failuresOf, lastLines, selectStages, stages, sum, tallyOf } from './stages.ts';

describe('selectStages', () => {
  it('takes all without a name, some by name, the static ones as a group', () => {
    expect(selectStages([])).toEqual(stages.filter(({ name }) => name !== 'releases'));
    expect(selectStages(['releases']).map((s) => s.name)).toEqual(['releases']);
    expect(selectStages(['unit']).map((s) => s.name)).toEqual(['unit']);
    expect(selectStages(['static']).map((s) => s.name)).toEqual(['format', 'lint', 'types', 'requirements']);
  });

  it('names an unknown stage and what there is', () => {
    expect(() => selectStages(['units'])).toThrow(/no test stage "units"; there are: format, .*e2e, releases, static/);
  });
});

describe('tallyOf', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numFailedTestSuites: 0, testResults: [] };

  it('counts tests', () => {
    expect(tallyOf({ ...report, numFailedTests: 2, numFailedTestSuites: 1 }, 1)).toEqual({
      passed: 3,
      failed: 2,
      skipped: 1,
    });
  });

  it('counts a run that failed without a failing test as a failure', () => {
    expect(tallyOf(report, 1).failed).toBe(1);
    expect(tallyOf({ ...report, numFailedTestSuites: 2 }, 1).failed).toBe(2);
  });
});

describe('failuresOf', () => {
  const passed = { fullName: 'adds', status: 'passed', failureMessages: [] };

  it('names what failed and the first lines of why', () => {
    const failed = { fullName: 'drains', status: 'failed', failureMessages: [`no end\n${'at x\n'.repeat(40)}`] };
    const results = [
      { name: '/here/a.test.ts', message: '', status: 'failed', assertionResults: [passed, failed] },
      { name: '/here/b.test.ts', message: '', status: 'passed', assertionResults: [passed] },
      { name: '/here/c.test.ts', message: 'no such module', status: 'failed', assertionResults: [] },
    ];
    const found = failuresOf(
      { numPassedTests: 2, numFailedTests: 1, numPendingTests: 0, numFailedTestSuites: 2, testResults: results },
      '/here',
    );
    expect(found.map(({ file, test }) => `${file}: ${test}`)).toEqual([
      'a.test.ts: drains',
      'c.test.ts: could not be set up',
    ]);
    expect(found[0]?.message.split('\n')).toHaveLength(12);
    expect(found[1]?.message).toBe('no such module');
  });
});

describe('closingLine', () => {
  it('is the line that CI reads', () => {
    const tally = sum([
      { passed: 2, failed: 0, skipped: 0 },
      { passed: 5, failed: 1, skipped: 0 },
    ]);
    expect(closingLine(tally)).toBe('7 passed, 1 failed');
    expect(closingLine({ ...tally, skipped: 4 })).toBe('7 passed, 1 failed, 4 skipped');
  });
});

it('of what a check said its end is told again', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  expect(lastLines(`${lines.join('\n')}\n\n`).split('\n')).toEqual(lines.slice(-24));
});
