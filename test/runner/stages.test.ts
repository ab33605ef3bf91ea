import { describe, expect, it } from 'vitest';
import { closingLine, selectStages, stages, sum, tallyOf } from './stages.ts';

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
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numFailedTestSuites: 0 };

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
