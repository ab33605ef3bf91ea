// Files that a command makes: for their owner only, and never in the place of another.
import { writeFile } from 'node:fs/promises';
import { CommandError } from './errors.ts';

/** @throws CommandError BadUsage when it cannot be written, or is there already. */
export async function writeNewFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, data, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CommandError('BadUsage', `${path} cannot be written: ${said}`, { cause: error });
  }
}
