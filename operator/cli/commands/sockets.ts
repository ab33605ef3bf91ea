// `sockets NAME`: who is still connected where, asked at the pods just now.
import type { Assistants } from '../assistants.ts';
import type { Io } from '../io.ts';
import type { Paint } from '../render/paint.ts';
import { renderSockets, socketsView } from '../render/sockets.ts';
import { documentText } from '../render/printable.ts';
import { askSessions } from '../sessions.ts';

export async function showSockets(
  assistants: Assistants,
  name: string,
  io: Io,
  paint: Paint,
  options: { readonly json: boolean },
): Promise<number> {
  const object = await assistants.read(name);
  const pods = await assistants.rawPods(name);
  const view = socketsView(object, pods === null ? null : await askSessions(assistants.session, pods));
  const text = options.json ? documentText(view) : renderSockets(view, io.now(), paint).join('\n');
  io.stdout.write(`${text}\n`);
  return 0;
}
