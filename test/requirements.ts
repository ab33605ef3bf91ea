// `npm run requirements [-- -o json] [-- --check]`: which lines of docs/requirements.md are proven, by what, and which not yet.
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import colors from 'picocolors';
import { cover, findProofs, parseRequirements } from './requirements/requirements.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    output: { type: 'string', short: 'o' },
    check: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) {
  console.log(
    'usage: npm run requirements [-- -o json | --check]\n  --check  print only the count and what is wrong; exit 1 on an unknown number',
  );
  process.exit(0);
}

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.test.ts'], {
  cwd: root,
  encoding: 'utf8',
});
const proofs = tracked
  .split('\n')
  .filter(Boolean)
  .flatMap((file) => findProofs(file, readFileSync(path.join(root, file), 'utf8')));
const requirements = parseRequirements(readFileSync(path.join(root, 'docs/requirements.md'), 'utf8'));
const coverage = cover(requirements, proofs);

if (values.output === 'json') {
  console.log(
    JSON.stringify(
      { proven: Object.fromEntries(coverage.proven), unproven: coverage.unproven, unknown: coverage.unknown },
      null,
      2,
    ),
  );
} else {
  if (!values.check) printSections();
  console.log(
    `${coverage.proven.size} of ${requirements.length} requirements proven by ${new Set(proofs.map((p) => p.file)).size} test files`,
  );
}
for (const proof of coverage.unknown) {
  console.error(
    `${proof.file}: "${proof.title}" names ${proof.id}, which docs/requirements.md does not have; correct the number`,
  );
}
process.exitCode = coverage.unknown.length > 0 ? 1 : 0;

function printSections(): void {
  for (const section of new Set(requirements.map((r) => r.section))) {
    console.log(colors.bold(`\n${section}`));
    for (const requirement of requirements.filter((r) => r.section === section)) {
      const by = coverage.proven.get(requirement.id);
      const mark = by ? colors.green('proven ') : colors.dim('not yet');
      console.log(`  ${mark} ${requirement.id} ${requirement.text}`);
      for (const file of new Set(by?.map((p) => p.file))) console.log(colors.dim(`            ${file}`));
    }
  }
  console.log();
}
