// `status` without a name: all AssistantDeployments of a namespace, or of all, as a table.
import { summarize, type AssistantDeployment } from '@assistant-platform/api';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';
import { since } from './time.ts';

/** Aligned columns, the first line their names. Objects come in the order given. */
export function renderList(
  objects: readonly AssistantDeployment[],
  options: { namespaces: boolean; now: number },
): string[] {
  const rows = printable(objects).map(({ metadata, spec, status = {} }) => {
    const { step = '', weight = '', ready = '', connections = 0 } = summarize(status);
    return [
      ...(options.namespaces ? [metadata.namespace ?? ''] : []),
      metadata.name,
      status.phase ?? 'Unknown',
      spec.strategy.type,
      step,
      weight,
      ready,
      String(connections),
      spec.release ?? '',
      metadata.creationTimestamp === undefined ? '' : since(metadata.creationTimestamp, options.now),
      status.message ?? '',
    ];
  });
  const header = [
    ...(options.namespaces ? ['NAMESPACE'] : []),
    ...['NAME', 'PHASE', 'STRATEGY', 'STEP', 'WEIGHT', 'READY', 'CONNS', 'RELEASE', 'AGE', 'MESSAGE'],
  ];
  return renderTable(header, rows);
}
