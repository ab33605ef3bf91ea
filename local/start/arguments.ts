// What a person may say after `npm start --`. Pure.
import { parseArgs } from 'node:util';

/** The choices of one `npm start`. */
export interface StartArguments {
  readonly help: boolean;
  /** A context of the person's own kubeconfig; the embedded cluster when absent. */
  readonly context?: string;
  /** Prefix of a registry that the cluster of `context` pulls from, e.g. `ghcr.io/you/assistant`. */
  readonly registry?: string;
  /** Embedded cluster only: pods may reach the world. */
  readonly egress: boolean;
}

/** What `npm start -- --help` prints. */
export const USAGE = `Usage: npm start [-- options]

Starts everything: a Kubernetes cluster on this machine, and on it, by pulumi up, the platform with a demo assistant.
Safe to repeat; after a failure it goes on where it was.

  --context NAME     use a cluster that you have (kind, k3d, minikube, a cloud): a context of your kubeconfig
  --registry PREFIX  with --context: pull the images from there (push them first; see npm run images -- --help)
  --egress           let pods of the embedded cluster reach the world outside this machine
  --help             this text
`;

/** @throws Error that says which argument is wrong. */
export function parseStartArguments(args: readonly string[]): StartArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      context: { type: 'string' },
      registry: { type: 'string' },
      egress: { type: 'boolean', default: false },
    },
  });
  if (values.context === '')
    throw new Error('--context: write the name of a context (kubectl config get-contexts lists them)');
  if (values.registry !== undefined && values.context === undefined) {
    throw new Error('--registry: only together with --context; the embedded cluster gets its images from this machine');
  }
  if (values.egress && values.context !== undefined) {
    throw new Error('--egress: only for the embedded cluster; leave it out with --context');
  }
  return {
    help: values.help,
    egress: values.egress,
    ...(values.context === undefined ? {} : { context: values.context }),
    ...(values.registry === undefined ? {} : { registry: values.registry }),
  };
}
