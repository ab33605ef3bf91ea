// What stands after `npm start`: an assistant that answers, a stack that is at rest, and no secret in clear.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { DevStack } from '../../local/start/stack.ts';
import { ask, eventually, guest, kubectl, script } from './access.ts';

const stack = () => {
  const { kubeconfig, context } = inject('where');
  return DevStack.open({ kind: 'embedded', kubeconfig, context, stack: 'dev' });
};

describe('after npm start', () => {
  it('the assistant answers from its real model through the gateway', async () => {
    const answer = await ask(await guest(), `What is a lighthouse? (${Date.now()})`);
    expect(answer).toMatchObject({ status: 200, tier: 'model', stored: true });
    expect(answer.text.length).toBeGreaterThan(10);
  });

  it('a second preview shows no change', async () => {
    await (await stack()).previewWithoutChanges();
  });

  it('[R-028] no secret lies in clear in the Pulumi state', async () => {
    const opened = await stack();
    const { unleash, openbao } = inject('where');
    const exported = await opened.exported();
    for (const secret of [unleash.password, unleash.adminToken, openbao.token]) {
      expect(secret.length).toBeGreaterThan(8);
      expect(exported).not.toContain(secret);
      expect(exported).not.toContain(Buffer.from(secret).toString('base64'));
    }
    expect(exported).toContain('ciphertext');
  });

  it('the kubeconfig is for its owner only, and the person’s own is not touched', () => {
    const { kubeconfig } = inject('where');
    expect(statSync(kubeconfig).mode & 0o077).toBe(0);
    expect(path.dirname(kubeconfig)).toContain('.state');
    expect(readFileSync(kubeconfig, 'utf8')).toContain('current-context');
  });

  it('every pod is ready, runs as a non-root user on a read-only root file system, and drops all capabilities', async () => {
    interface Pod {
      metadata: { name: string; namespace: string };
      spec: {
        securityContext?: { runAsNonRoot?: boolean };
        containers: {
          name: string;
          securityContext?: {
            runAsNonRoot?: boolean;
            readOnlyRootFilesystem?: boolean;
            capabilities?: { drop?: string[] };
          };
        }[];
      };
      status: { phase: string };
    }
    const { items } = JSON.parse(await kubectl('get', 'pods', '-A', '-o', 'json')) as { items: Pod[] };
    const ours = items.filter((pod) => pod.metadata.namespace !== 'kube-system');
    expect(ours.length).toBeGreaterThan(8);
    for (const pod of ours) {
      expect(['Running', 'Succeeded'], pod.metadata.name).toContain(pod.status.phase);
      for (const container of pod.spec.containers) {
        const own = container.securityContext;
        const name = `${pod.metadata.namespace}/${pod.metadata.name}/${container.name}`;
        expect(own?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot, name).toBe(true);
        expect(own?.readOnlyRootFilesystem, name).toBe(true);
        expect(own?.capabilities?.drop, name).toEqual(['ALL']);
      }
    }
  });

  it('Prometheus scrapes every component', async () => {
    const scraped = async (): Promise<Set<string | undefined>> => {
      const response = await fetch(`${inject('where').prometheus}/api/v1/query?query=up`);
      const { data } = (await response.json()) as {
        data: { result: { metric: { component?: string }; value: [number, string] }[] };
      };
      return new Set(data.result.filter((r) => r.value[1] === '1').map((r) => r.metric.component));
    };
    await eventually('chat and realtime are scraped', 60, async () => {
      const components = await scraped();
      return components.has('chat') && components.has('realtime');
    });
  });

  it('the flag of the first cut is in Unleash', async () => {
    const { unleash } = inject('where');
    const response = await fetch(`${unleash.url}/api/admin/projects/default/features/new-memory`, {
      headers: { authorization: unleash.adminToken },
    });
    expect(response.status).toBe(200);
  });

  it('the file to source gives a shell kubectl with its plugin', () => {
    const line = `. "${inject('stateDir')}/env" && kubectl assistant status demo -n assistants && kubectl assistant why demo -n assistants`;
    const said = execFileSync('sh', ['-c', line], { encoding: 'utf8' });
    expect(said).toContain('Healthy');
    expect(said).toContain('1.0.0');
  });

  it.each([
    ['cpu', 'nodes'],
    ['heap', 'head'],
  ])('[R-259] a %s profile is taken of the running operator', async (kind, root) => {
    const chosen = ['-n', 'assistant-system', '-l', 'app.kubernetes.io/name=assistant-operator'];
    const [pod = ''] = (await kubectl('get', 'pods', ...chosen, '-o', 'name')).trim().split('\n');
    const out = path.join(inject('stateDir'), `operator-${kind}.profile`);
    const order = `profile ${path.basename(pod)} -n assistant-system --kind ${kind} --seconds 2 --out ${out}`;
    execFileSync('sh', ['-c', `. "${inject('stateDir')}/env" && kubectl assistant ${order}`], { encoding: 'utf8' });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toHaveProperty(root);
  });

  it('the services log in at OpenBao by their service account, not by a token that somebody handed them', async () => {
    const { openbao } = inject('where');
    const ask = async (method: string, place: string, body?: object): Promise<Record<string, unknown>> => {
      const headers = { 'x-vault-token': openbao.token, 'content-type': 'application/json' };
      const response = await fetch(`${openbao.url}/v1/${place}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      expect(response.status, place).toBe(200);
      return ((await response.json()) as { data: Record<string, unknown> }).data;
    };
    const { keys } = (await ask('LIST', 'auth/token/accessors')) as { keys: string[] };
    const logins = await Promise.all(keys.map((accessor) => ask('POST', 'auth/token/lookup-accessor', { accessor })));
    const paths = logins.map(({ path: way, meta }) => ({ way, meta: meta as Record<string, string> | null }));
    const byAccount = paths.filter(({ way }) => way === 'auth/kubernetes/login');
    expect(byAccount.length).toBeGreaterThanOrEqual(4); // two pods of each service
    for (const { meta } of byAccount) expect(meta?.['service_account_namespace']).toBe('assistants');
  });

  it('npm run where prints every address', () => {
    const text = script('local/where.ts');
    for (const address of [inject('where').gateway, inject('where').unleash.url, inject('where').kubeconfig])
      expect(text).toContain(address);
  });
});
