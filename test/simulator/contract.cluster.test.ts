// The contract, kept by a real kube-apiserver with the real garbage collector and workload controllers: what the simulator is measured by.
import { randomUUID } from 'node:crypto';
import { ApiClient, connectionFromEnvironment, namespaces, serviceAccounts } from '@assistant-platform/runtime';
import { expect, inject } from 'vitest';
import { describeContract } from './contract.ts';
import { describeWorkloadContract } from './contract-workloads.ts';

const withCluster: Parameters<typeof describeContract>[1] = async (test) => {
  const connection = await connectionFromEnvironment({ kubeconfig: inject('kubeconfig') });
  const clients: ApiClient[] = [];
  const client = (fieldManager: string): ApiClient => {
    const made = new ApiClient({ connection, fieldManager });
    clients.push(made);
    return made;
  };
  const eventually = async (what: string, question: () => boolean | Promise<boolean>): Promise<void> => {
    await expect.poll(question, { timeout: 60_000, interval: 100, message: what }).toBe(true);
  };
  const admin = client('test');
  const namespace = `contract-${randomUUID().slice(0, 8)}`;
  await admin.create(namespaces, { metadata: { name: namespace } });
  try {
    // Pods are refused until it is there.
    await eventually(
      'the default ServiceAccount',
      async () => (await admin.find(serviceAccounts, { namespace, name: 'default' })) !== undefined,
    );
    await test({ client, eventually, namespace });
  } finally {
    await admin.delete(namespaces, { name: namespace });
    for (const each of clients) each.close();
  }
};

describeContract('kube-apiserver', withCluster);
describeWorkloadContract('kube-apiserver', withCluster);
