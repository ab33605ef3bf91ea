// A kubeconfig with one cluster, one user and one context. Pure text; the caller writes it to its own file.
import { stringify } from 'yaml';

/** What a kubeconfig needs; certificates and key are PEM. */
export interface KubeconfigInputs {
  /** Name of the cluster, the user and the context. */
  readonly name: string;
  /** `https://host:port`. */
  readonly server: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** The kubeconfig as YAML, with certificates and key inside. */
export function kubeconfig(inputs: KubeconfigInputs): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: inputs.name,
          cluster: { server: inputs.server, 'certificate-authority-data': base64(inputs.authority) },
        },
      ],
      users: [
        {
          name: inputs.name,
          user: { 'client-certificate-data': base64(inputs.certificate), 'client-key-data': base64(inputs.key) },
        },
      ],
      contexts: [{ name: inputs.name, context: { cluster: inputs.name, user: inputs.name } }],
      'current-context': inputs.name,
    },
    { lineWidth: 0 },
  );
}
