// `lint -f FILE`: what the API server would refuse and what will hurt one day, without a cluster.
import type { Io } from '../io.ts';
import { FINDINGS, severityOf } from '../lint/finding.ts';
import { lintObject } from '../lint/lint.ts';
import { readManifests, type Manifest, type SyntaxProblem } from '../manifests.ts';
import type { Paint } from '../render/paint.ts';
import { renderLint, type PlacedFinding } from '../render/lint.ts';
import { documentText } from '../render/printable.ts';
import { pathText } from '../schema.ts';
import { EXIT } from '../verdict.ts';

export interface LintOptions {
  readonly files: readonly string[];
  /** Warnings count as errors. */
  readonly strict: boolean;
  readonly json: boolean;
}

/** @returns 1 when there is an error (or, strictly, a warning), otherwise 0. */
export async function lint(io: Io, paint: Paint, { files, strict, json }: LintOptions): Promise<number> {
  const { manifests, problems } = await readManifests(files, io.readStdin);
  const findings = [...problems.map(syntaxFinding), ...manifests.flatMap(findingsOf)];
  io.stdout.write(
    json
      ? `${documentText({ objects: manifests.length, findings })}\n`
      : `${renderLint(findings, manifests.length, paint).join('\n')}\n`,
  );
  const bad = findings.some(({ severity }) => severity === 'error' || (strict && severity === 'warning'));
  return bad ? EXIT.bad : EXIT.good;
}

function findingsOf({ file, object, lineOf }: Manifest): PlacedFinding[] {
  const { metadata } = object as { readonly metadata?: { readonly name?: unknown } | null };
  const name = typeof metadata?.name === 'string' ? metadata.name : '';
  return lintObject(object).map((finding) => ({
    severity: severityOf(finding),
    code: finding.code,
    file,
    line: lineOf(finding.path),
    object: name,
    path: pathText(finding.path),
    message: finding.message,
    remedy: finding.remedy,
  }));
}

const syntaxFinding = ({ file, line, message }: SyntaxProblem): PlacedFinding => ({
  severity: FINDINGS.Syntax.severity,
  code: 'Syntax',
  ...{
    file,
    line,
    object: '',
    path: '',
    message,
    remedy: 'correct the file; nothing else of this document was looked at',
  },
});
