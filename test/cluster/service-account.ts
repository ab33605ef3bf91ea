// A kubeconfig with nothing but given rights: what runs with it shows that they are enough.
import { writeFile } from 'node:fs/promises';
import {
  type Api,
  type KubeObject,
  resourceType,
  type Secret,
  secrets,
  serviceAccounts,
} from '@assistant-platform/runtime';
import { KubeConfig } from '@kubernetes/client-node';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const RBAC = 'rbac.authorization.k8s.io';
const roles = resourceType<KubeObject & { rules: readonly Rule[] }>(`${RBAC}/v1`, 'Role', 'roles');
type Binding = KubeObject & { roleRef: object; subjects: object[] };
const roleBindings = resourceType<Binding>(`${RBAC}/v1`, 'RoleBinding', 'rolebindings');
const clusterRoles = resourceType<KubeObject & { rules: readonly Rule[] }>(
  `${RBAC}/v1`,
  'ClusterRole',
  'clusterroles',
  'Cluster',
);
const clusterRoleBindings = resourceType<Binding>(`${RBAC}/v1`, 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster');

interface Account {
  readonly namespace: string;
  readonly name: string;
  /** In its namespace, and in all of them. */
  readonly rules: readonly Rule[];
  readonly everywhere?: readonly Rule[];
  readonly file: string;
}

/**
 * Makes ServiceAccount, Role and RoleBinding `name`, the ones for the cluster if there are such rights, and writes a kubeconfig of the account to `file`.
 * @param admin kubeconfig of the cluster; `api` speaks to the same one with the rights to make these.
 */
export async function restrictedKubeconfig(
  api: Api,
  admin: string,
  { namespace, name, rules, everywhere = [], file }: Account,
): Promise<void> {
  const metadata = { name, namespace };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  await api.create(serviceAccounts, { metadata });
  await api.create(roles, { metadata, rules });
  await api.create(roleBindings, {
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name },
    subjects,
  });
  if (everywhere.length > 0) {
    const cluster = `${namespace}-${name}`;
    await api.create(clusterRoles, { metadata: { name: cluster }, rules: everywhere });
    await api.create(clusterRoleBindings, {
      metadata: { name: cluster },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: cluster },
      subjects,
    });
  }
  const token = await tokenOf(api, namespace, name);
  const config = new KubeConfig();
  config.loadFromFile(admin);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${admin} names no cluster`);
  const restricted = new KubeConfig();
  restricted.loadFromClusterAndUser(cluster, { name, token });
  await writeFile(file, restricted.exportConfig(), { mode: 0o600 });
}

/** A token by a Secret of the account, filled by the controller-manager. */
async function tokenOf(api: Api, namespace: string, account: string): Promise<string> {
  const made = await api.create(secrets, {
    type: 'kubernetes.io/service-account-token',
    metadata: {
      name: `${account}-token`,
      namespace,
      annotations: { 'kubernetes.io/service-account.name': account },
    },
  });
  const read = (secret: Secret): string | undefined => secret.data?.['token'];
  const changes = api.watch(secrets, {
    namespace,
    fieldSelector: `metadata.name=${account}-token`,
    resourceVersion: made.metadata.resourceVersion ?? '',
    timeoutSeconds: 30,
  });
  for await (const change of changes) {
    const token = change.type === 'BOOKMARK' ? undefined : read(change.object);
    if (token !== undefined) return Buffer.from(token, 'base64').toString('utf8');
  }
  throw new Error(`the controller-manager gave ServiceAccount ${namespace}/${account} no token within 30 s`);
}
