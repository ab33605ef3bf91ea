// From what was gathered to the files of the archive, with everything secret taken out. Pure.
import { stringify } from 'yaml';
import type { ArchiveFile } from './tar.ts';
import type { Gathered } from './gather.ts';
import { Redactor } from './redact.ts';

export interface Composition {
  readonly name: string;
  readonly namespace: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly gathered: Gathered;
  /** Rendered by this command: file name and lines. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
  /** Of this command and its surroundings. */
  readonly versions: Readonly<Record<string, string>>;
}

const README = (
  name: string,
  namespace: string,
  at: string,
  gaps: readonly string[],
): string => `Support bundle of the AssistantDeployment ${name} in namespace ${namespace}, ${at}

status, why, sockets, history .txt  what kubectl assistant says of it
objects/                           the object, its children, what it refers to, its gateway, and the events about them
operator/                          logs of the operator's pods
versions/                          of this command and of the API server

Taken out, and written as <redacted>: data of Secrets and ConfigMaps (their keys stay), values of environment variables and of headers of probes,
whatever has a name like password or token, whatever looks like a credential, and the same values wherever else they turned up. Logs of the
assistant's own pods are not part of it: they may hold what people wrote. Look through it before you send it all the same.

${gaps.length === 0 ? 'Everything could be read.' : `Could not be read:\n${gaps.map((gap) => `- ${gap}`).join('\n')}`}
`;

/** All files, below one folder. */
export function compose({ name, namespace, now, gathered, pages, versions }: Composition): ArchiveFile[] {
  const redactor = new Redactor();
  for (const { object } of gathered.objects) redactor.learn(object);
  const at = new Date(now).toISOString();
  const folder = `assistant-${name}-${at.slice(0, 19).replaceAll(':', '')}`;
  const clean = gathered.objects.map(({ kind, namespace: where, name: called, object }) => ({
    path: `objects/${kind}/${where === namespace || where === '' ? '' : `${where}.`}${called}.yaml`,
    content: stringify(redactor.object(object), { lineWidth: 0, aliasDuplicateObjects: false }),
  }));
  const files = [
    { path: 'README.txt', content: redactor.text(README(name, namespace, at, gathered.gaps)) },
    ...Object.entries(pages).map(([page, lines]) => ({ path: page, content: redactor.text(`${lines.join('\n')}\n`) })),
    { path: 'versions/command.json', content: `${JSON.stringify(versions, null, 2)}\n` },
    ...gathered.texts.map(({ path, text }) => ({ path, content: redactor.text(text) })),
    ...clean,
  ];
  return files.map(({ path, content }) => ({ path: `${folder}/${path}`, content }));
}
