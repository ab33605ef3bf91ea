// The page that keeps the figures of the benchmarks.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { replaceSection } from './figures.ts';

const NAME = 'docs/benchmarks.md';
const page = path.resolve(import.meta.dirname, '../..', NAME);

/** Replaces a section of docs/benchmarks.md, and says so. @throws Error when the page has no such section. */
export function keepSection(name: string, text: string): void {
  writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), name, text));
  console.log(`kept in ${NAME}`);
}
