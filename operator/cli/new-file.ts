// Files that a command makes: for their owner only, and never in the place of another.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { CommandError } from './errors.ts';

/** For what takes long to make: whether {@link writeNewFile} can do its work is asked before. @throws CommandError BadUsage when it is there already. */
export function demandNew(path: string): void {
  if (existsSync(path))
    throw new CommandError(
      'BadUsage',
      `${path} cannot be written: EEXIST, it is there already; name another file with --out`,
    );
}

/** @throws CommandError BadUsage when it cannot be written, or is there already. */
export async function writeNewFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, data, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandError('BadUsage', `${path} cannot be written: ${said}`, { cause: error });
  }
}
