/** `npm run doctor`: looks whether this machine has what `npm start` takes, and says what to do where it has not. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { type Check, checkMachine, worst } from './system/checks.ts';
import { findMachineFacts } from './system/machine-facts.ts';

const USAGE = `Usage: npm run doctor [-- options]

Looks whether this machine has what npm start takes. Changes nothing.

  --json    print the checks as JSON
  --help    this text

Exit status: 0 if npm start can work (there may be warnings), 1 if something stops it.
`;

const MARKS = { ok: pc.green('✓'), warning: pc.yellow('!'), problem: pc.red('✗') } as const;

function render(check: Check, width: number): string {
  const line = `${MARKS[check.state]} ${check.name.padEnd(width)}  ${check.found}`;
  return check.remedy === undefined ? line : `${line}\n  ${' '.repeat(width)}  ${pc.bold('→')} ${check.remedy}`;
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const checks = checkMachine(await findMachineFacts(resolve(import.meta.dirname, '..')));
  const state = worst(checks);
  if (values.json === true) {
    console.log(JSON.stringify({ state, checks }, undefined, 2));
  } else {
    const width = Math.max(...checks.map((check) => check.name.length));
    for (const check of checks) console.log(render(check, width));
    const problems = checks.filter((check) => check.state === 'problem').length;
    const verdict =
      problems === 0 ? pc.green('npm start can work here.') : pc.red(`${problems} to put right before npm start.`);
    console.log(`\n${verdict}`);
  }
  return state === 'problem' ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
