// `lint`: findings as text, one block each: where, what is so, what to write instead. Pure.
import { counted } from '@assistant-platform/api';
import type { FindingCode, Severity } from '../lint/finding.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** A finding with its place in a file. */
export interface PlacedFinding {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly file: string;
  readonly line: number;
  /** Name of the AssistantDeployment; empty where it could not be read. */
  readonly object: string;
  /** Field path. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

export function renderLint(findings: readonly PlacedFinding[], objects: number, paint: Paint): string[] {
  const lines = printable(findings).flatMap(({ severity, code, file, line, object, path, message, remedy }) => [
    `${paintSeverity(paint, severity)} ${code}  ${path}: ${message}`,
    `    ${remedy}  ${paint.faint(`(${file === '-' ? 'standard input' : file}:${line}${object === '' ? '' : `, ${object}`})`)}`,
  ]);
  const count = (severity: Severity, word: string): string =>
    counted(findings.filter((finding) => finding.severity === severity).length, word);
  const of = counted(objects, 'AssistantDeployment');
  return [...lines, `${of}: ${count('error', 'error')}, ${count('warning', 'warning')}, ${count('info', 'note')}`];
}

function paintSeverity(paint: Paint, severity: Severity): string {
  const text = severity.padEnd(7);
  switch (severity) {
    case 'error':
      return paint.bad(text);
    case 'warning':
      return paint.wait(text);
    case 'info':
      return paint.faint(text);
  }
}
