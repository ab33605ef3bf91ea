// Files that hold state: written whole or not at all, read as "absent" when they are not there.
import { randomBytes } from 'node:crypto';
import { writeFileSync, renameSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Writes the file under another name and renames it: a reader or a crash never sees half of it. */
export async function writeAtomically(path: string, content: string, mode = 0o644): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(temporary, content, { mode });
  await rename(temporary, path);
}

/** {@link writeAtomically} for the supervisor, whose status must be on disk before the next event is handled. */
export function writeAtomicallySync(path: string, content: string, mode = 0o644): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}

/**
 * The parsed JSON file, or undefined when there is none. Only for files that this package wrote itself: the shape is not checked.
 *
 * @throws Error naming the file when it is not JSON.
 */
export async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new Error(`${path} is not JSON. Remove it and start again.`, { cause });
  }
}
