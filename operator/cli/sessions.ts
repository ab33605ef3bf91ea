// The open sessions of an assistant's pods, asked at their admin ports (pod contract: GET /sessions) through the API server's pod proxy, so
// that it works from a laptop that does not reach the pod network.
import { LABELS } from '@assistant-platform/api';
import type { RawPod } from './pods.ts';
import { rawGet } from './raw.ts';
import type { Session } from './session.ts';

/** What one pod says. */
export type SessionsAnswer =
  | {
      readonly kind: 'Known';
      readonly open: number;
      readonly busy: number;
      /** Age of the oldest session; null: the pod does not say. */
      readonly oldestSeconds: number | null;
      readonly draining: boolean;
    }
  /** It offers no admin port. */
  | { readonly kind: 'Unsupported' }
  | { readonly kind: 'Unknown'; readonly why: string }
  /** We may not use the pod proxy. */
  | { readonly kind: 'Forbidden' };

/** A pod and its answer. */
export interface PodSessions {
  readonly pod: string;
  readonly component: string;
  readonly revision: string;
  readonly answer: SessionsAnswer;
}

const TIMEOUT_MS = 4_000;
/** Pods asked at the same time. */
const AT_ONCE = 16;

/** Asks all pods that run. */
export async function askSessions(session: Session, pods: readonly RawPod[]): Promise<PodSessions[]> {
  const running = pods.filter(({ status }) => status?.phase === 'Running');
  const answers: PodSessions[] = [];
  const queue = [...running.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, pod] = next;
      answers[index] = {
        pod: pod.metadata?.name ?? '',
        component: pod.metadata?.labels?.[LABELS.component] ?? '',
        revision: pod.metadata?.labels?.[LABELS.revision] ?? '',
        answer: await ask(session, pod),
      };
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, worker));
  return answers;
}

async function ask(session: Session, pod: RawPod): Promise<SessionsAnswer> {
  const path = `/api/v1/namespaces/${session.namespace}/pods/${pod.metadata?.name ?? ''}:${adminPort(pod)}/proxy/sessions`;
  try {
    const { code, body } = await rawGet(session, path, { timeoutMs: TIMEOUT_MS });
    return readAnswer(code, body);
  } catch (error) {
    return { kind: 'Unknown', why: error instanceof Error ? error.message : String(error) };
  }
}

/** The port named admin; 9090 where none is (pod contract). */
function adminPort({ spec }: RawPod): number {
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === 'admin')?.containerPort ?? 9090;
}

/** Reads what came back through the proxy. */
export function readAnswer(code: number, body: string): SessionsAnswer {
  // The API server itself answers as a metav1.Status; the pod never does.
  const status = parseJson(body) as { readonly kind?: unknown; readonly message?: unknown } | null;
  const fromServer = status?.kind === 'Status';
  const said = typeof status?.message === 'string' ? status.message : `code ${code}`;
  if (code === 403 && fromServer) return { kind: 'Forbidden' };
  if (code === 404 && !fromServer) return { kind: 'Unsupported' };
  if (code === 503 && /connection refused/.test(body)) return { kind: 'Unsupported' };
  if (code !== 200) return { kind: 'Unknown', why: fromServer ? said : `the pod answered ${code}` };
  const { open, busy, oldestSeconds, draining } = (status ?? {}) as Partial<Record<string, unknown>>;
  if (typeof open !== 'number')
    return { kind: 'Unknown', why: 'the pod answered something that is not of the pod contract' };
  return {
    kind: 'Known',
    open,
    busy: typeof busy === 'number' ? busy : 0,
    oldestSeconds: typeof oldestSeconds === 'number' ? oldestSeconds : null,
    draining: draining === true,
  };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // a page of text, not an answer of the contract
  }
}
