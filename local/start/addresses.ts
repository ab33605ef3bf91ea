// Every address and credential that a person needs, read from the outputs of the stack. Pure.
import type { StackOutputs } from './stack.ts';
import type { Target } from './target.ts';

/** What `npm run where --json` prints. */
export interface Addresses {
  readonly kubeconfig: string;
  readonly context: string;
  readonly gateway: string;
  readonly unleash: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly adminToken: string;
  };
  readonly openbao: { readonly url: string; readonly token: string };
  readonly prometheus: string;
}

/** @throws Error when the stack lacks an output: it was not brought up to the end. */
export function addressesOf(target: Target, outputs: StackOutputs): Addresses {
  const output = (name: string): string => {
    const value = outputs[name];
    if (typeof value !== 'string') {
      throw new Error(`The stack has no output "${name}": pulumi up has not come to its end yet. Run npm start again.`);
    }
    return value;
  };
  return {
    kubeconfig: target.kubeconfig,
    context: target.context,
    gateway: output('gatewayUrl'),
    unleash: {
      url: output('unleashUrl'),
      user: output('unleashUser'),
      password: output('unleashPassword'),
      adminToken: output('unleashAdminToken'),
    },
    openbao: { url: output('openbaoUrl'), token: output('openbaoToken') },
    prometheus: output('prometheusUrl'),
  };
}

/** The addresses for people, one a line. */
export function describeAddresses(where: Addresses): string {
  const rows: [string, string][] = [
    ['Assistant', where.gateway],
    ['Flags (Unleash)', `${where.unleash.url}   ${where.unleash.user} / ${where.unleash.password}`],
    ['  API token', where.unleash.adminToken],
    ['Secrets (OpenBao)', `${where.openbao.url}/ui   token ${where.openbao.token}`],
    ['Metrics (Prometheus)', where.prometheus],
    ['kubeconfig', `${where.kubeconfig}   context ${where.context}`],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(21)} ${value}`).join('\n');
}

/** The three commands that a newcomer tries first. `setup` makes kubectl find the cluster. */
export function nextCommands(setup: string): string {
  const image = (name: string): string => `"${name}":{"image":"localhost/assistant/${name}:1.1.0"}`;
  const change = `{"spec":{"release":"1.1.0","components":{${image('chat')},${image('realtime')}}}}`;
  return [
    `  ${setup}`,
    `  kubectl -n assistants patch ad demo --type merge -p '${change}'     # release 1.1.0`,
    '  kubectl assistant status demo -n assistants --watch                # watch it go 10 -> 50 -> 100 %',
    '  kubectl assistant abort demo -n assistants --reason "try it out"   # or call it back while it goes',
  ].join('\n');
}
