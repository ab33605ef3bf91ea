// `why NAME`: what it waits for, in one sentence.
import type { Assistants } from '../assistants.ts';
import type { Io } from '../io.ts';
import { renderWhy } from '../render/why.ts';
import { documentText } from '../render/printable.ts';

/** @returns the exit code: 0 whenever the question could be answered. */
export async function showWhy(
  assistants: Assistants,
  name: string,
  io: Io,
  options: { readonly json: boolean },
): Promise<number> {
  const object = await assistants.read(name);
  const sentences = renderWhy(object, io.now());
  const { blockedBy = [], phase } = object.status ?? {};
  const text = options.json
    ? documentText({ name, phase: phase ?? null, answer: sentences.join(' '), blockedBy })
    : sentences.join('\n');
  io.stdout.write(`${text}\n`);
  return 0;
}
