/**
 * The controller of AssistantDeployments: observe -> decide -> act, and nothing else. What is observed comes from informers, the decision is
 * `plan` of operator/rollout, the writes are carried out one after the other. It remembers nothing but what pods last said (session-book.ts).
 */
import {
  ASSISTANT_DEPLOYMENT,
  type AssistantDeploymentStatus,
  InvalidSpecError,
  type ResolvedSpec,
  withDefaults,
} from '@assistant-platform/api';
import {
  ApiError,
  type Controller,
  done,
  isNotFound,
  isRefusal,
  type Manager,
  objectKey,
  type ReconcileContext,
  type Request,
  requeue,
  requeueAfter,
  type Result,
  TerminalError,
} from '@assistant-platform/runtime';
import { SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { isSame } from '../rollout/digest.ts';
import { plan } from '../rollout/plan.ts';
import { withRefusal, type Refusal } from '../rollout/refusal.ts';
import type { Note } from '../rollout/decide.ts';
import type { Plan, Write } from '../rollout/plan-types.ts';
import type { Settings, Snapshot } from '../rollout/snapshot.ts';
import type { Status } from '../rollout/state.ts';
import { noMetricSource, type MetricSource } from '../metrics/source.ts';
import { act, type ActResult } from './act.ts';
import { Caches } from './caches.ts';
import { MeasurementBook } from './measurement-book.ts';
import { rolloutMetrics, type RolloutMetrics } from './metrics.ts';
import { StatusPacer } from './pacing.ts';
import { ForeignObjectError } from './ownership.ts';
import { PodsClient } from './pods-client.ts';
import { emit, endedBetween, rootIds } from './rollout-trace.ts';
import { assistantDeployments, type StoredAssistantDeployment } from './resources.ts';
import { type AskedPod, SessionBook } from './session-book.ts';
import { Teller } from './telling.ts';

export interface AssistantControllerOptions {
  readonly settings: Settings;
  /** URL of a pod's admin port, see PodsClient. */
  readonly podAddress?: string;
  /** Reconciles at a time. */
  readonly workers?: number;
  readonly podsClient?: PodsClient;
  /** What analyses are judged by; none: they wait and say so. */
  readonly metricSource?: MetricSource;
}

/** How old an answer of a pod may be, milliseconds: while pods wait for their sessions to end, while a rollout is under way, and at rest. */
const SESSIONS_DRAINING_MS = 1500;
const SESSIONS_UNDER_WAY_MS = 5000;
const SESSIONS_AT_REST_MS = 60_000;
/** After a conflict: the cache usually has the newer object within this time. */
const CONFLICT_RETRY_MS = 50;
/** After so many failures in a row, which is about a second, the status shows what the API server answers, even if it may pass by itself. */
const PATIENCE = 8;

/** What stands in for a spec that cannot be read while its object is deleted: the deletion only needs the drain's defaults. */
const LAST_RESORT = withDefaults({
  components: { chat: { image: 'none' } },
  gateway: { parentRef: { name: 'none' } },
  strategy: { type: 'BlueGreen', blueGreen: {} },
});

/** Registers informers and controller with the manager. Call before manager.run. */
export class AssistantController {
  readonly #manager: Manager;
  readonly #options: AssistantControllerOptions;
  readonly #podsClient: PodsClient;
  readonly #book: SessionBook;
  readonly #measurements: MeasurementBook;
  readonly #metrics: RolloutMetrics;
  readonly #pacer = new StatusPacer();
  readonly #teller: Teller;
  readonly #controller: Controller;
  readonly #caches: Caches;
  readonly #tracer = trace.getTracer('assistant-operator');
  readonly #stop = new AbortController();

  constructor(manager: Manager, options: AssistantControllerOptions) {
    this.#manager = manager;
    this.#options = options;
    const { podAddress, podsClient } = options;
    const address = podAddress === undefined ? {} : { address: podAddress };
    this.#podsClient = podsClient ?? new PodsClient({ ...address, log: manager.logger });
    this.#book = new SessionBook(this.#podsClient, () => manager.clock.monotonic());
    this.#measurements = new MeasurementBook(options.metricSource ?? noMetricSource, () => manager.clock.now());
    this.#teller = new Teller(manager.events);
    this.#caches = new Caches(manager);
    this.#caches.pods.addHandler(({ type, object }) => {
      if (type === 'Deleted' && object.metadata.uid !== undefined) this.#book.forget(object.metadata.uid);
    });
    this.#metrics = rolloutMetrics(manager.registry, this.#caches.subjects);
    this.#controller = manager.controller({
      name: ASSISTANT_DEPLOYMENT.kind.toLowerCase(),
      workers: options.workers ?? 8,
      reconcile: (request, context) => this.#traced(request, context),
    });
    this.#caches.feed(this.#controller);
  }

  #traced(request: Request, context: ReconcileContext): Promise<Result> {
    return this.#tracer.startActiveSpan('reconcile', async (span) => {
      span.setAttributes({
        'k8s.namespace.name': request.namespace ?? '',
        'assistant.name': request.name,
        'reconcile.id': context.reconcileId,
      });
      try {
        return await this.#reconcile(request, context, span);
      } catch (error) {
        span.recordException(error instanceof Error ? error : String(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  async #reconcile(request: Request, { signal, log, failures }: ReconcileContext, span: Span): Promise<Result> {
    const stored = this.#caches.subjects.get(request);
    const key = objectKey(request);
    if (stored === undefined) {
      for (const memory of [this.#measurements, this.#pacer, this.#teller]) memory.forget(key);
      await this.#reap(request, signal, log);
      return done;
    }
    const release = readRelease(stored);
    if (release instanceof InvalidSpecError) {
      const refusal = { reason: 'SpecRefused', message: release.message } as const;
      await this.#tellRefusal(stored, stored.status ?? {}, refusal, { log, signal });
      throw new TerminalError(`the spec of ${key} cannot be read: ${release.message}`);
    }
    const snapshot = this.#observe(stored, release);
    const now = this.#manager.clock.now();
    const next = plan(snapshot, now);
    // Who leaves is chosen by its sessions.
    const chooses = next.writes.some(({ kind }) => kind === 'MarkPod');
    if (chooses && (await this.#book.hear(askedPods(snapshot), signal))) return requeueAfter(0);
    span.setAttributes({ 'assistant.phase': next.status.phase ?? '', 'assistant.writes': next.writes.length });
    const { writes, reportInMs } = this.#pace(key, snapshot, next);
    const paced = { ...next, writes };
    const written = new Set<Write>();
    let result: ActResult | undefined;
    try {
      result = await this.#act(stored, snapshot, paced, written, { log, signal, failures });
    } finally {
      // No later look does again, and tells of, what this one has done.
      const told =
        result?.kind === 'Done' ? next.notes : next.notes.filter(({ of }) => of !== undefined && written.has(of));
      this.#tellNotes(stored, told, log);
    }
    if (result.kind === 'Outdated') {
      log.debug({ write: result.write.kind }, 'something changed meanwhile: looking again');
      return requeue(CONFLICT_RETRY_MS);
    }
    this.#tell(stored, snapshot, paced, log);
    this.#askPods(request, snapshot, next);
    this.#measure(request, snapshot, next);
    return this.#lookAgain(snapshot, next, reportInMs);
  }

  /** The writes without a status that can wait, and when that is to be written. */
  #pace(key: string, { subject }: Snapshot, { writes }: Plan): { writes: Plan['writes']; reportInMs: number | null } {
    const report = writes.find((write) => write.kind === 'Status');
    const delay =
      report === undefined ? 0 : this.#pacer.delay(key, subject.status, report.status, this.#manager.clock.monotonic());
    if (delay > 0) return { writes: writes.filter((write) => write !== report), reportInMs: delay };
    this.#pacer.forget(key);
    return { writes, reportInMs: null };
  }

  /**
   * Removes what an AssistantDeployment left whose finalizer somebody took away: what a drain needs has no owner that the garbage collector would go by
   * (rollout/objects.ts). The API server is asked first: a cache that lags must not cost a running assistant its pods.
   */
  async #reap(request: Request, signal: AbortSignal, log: ReconcileContext['log']): Promise<void> {
    const left = this.#caches.unowned(request);
    if (left.length === 0) return;
    const { api } = this.#manager;
    if ((await api.find(assistantDeployments, request, { signal })) !== undefined) return;
    log.warn({ objects: left.length }, `${objectKey(request)} is gone without its drain: removing what it left`);
    for (const { type, metadata } of left) {
      try {
        const { uid } = metadata;
        const preconditions = uid === undefined ? {} : { preconditions: { uid } };
        await api.delete(type, metadata, { signal, propagationPolicy: 'Background', ...preconditions });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  async #act(
    stored: StoredAssistantDeployment,
    snapshot: Snapshot,
    next: Plan,
    written: Set<Write>,
    { log, signal, failures }: Pick<ReconcileContext, 'log' | 'signal' | 'failures'>,
  ): Promise<ActResult> {
    const { subject } = snapshot;
    try {
      return await act(next.writes, {
        api: this.#manager.api,
        podsClient: this.#podsClient,
        book: this.#book,
        ...{ log, signal, subject, stored, adminToken: this.#caches.adminToken(subject) },
        ownUid: (ref) => this.#caches.ownUid(subject, ref),
        onDone: (write) => void written.add(write),
      });
    } catch (error) {
      const foreign = error instanceof ForeignObjectError;
      const persists = foreign || (error instanceof ApiError && (isRefusal(error) || failures >= PATIENCE));
      if (persists) {
        const refusal = { reason: 'WriteRefused', message: error.message } as const;
        await this.#tellRefusal(stored, subject.status, refusal, { log, signal });
      }
      throw error;
    }
  }

  /** Shows in the status what a person must put right. Failing at that as well is only logged: the refusal itself is thrown on. */
  async #tellRefusal(
    stored: StoredAssistantDeployment,
    before: Status,
    refusal: Refusal,
    { log, signal }: Pick<ReconcileContext, 'log' | 'signal'>,
  ): Promise<void> {
    const status = withRefusal(before, refusal, stored.metadata.generation ?? 0, this.#manager.clock.now());
    if (isSame(status, before)) return;
    try {
      const latest = this.#caches.subjects.get(stored.metadata) ?? stored;
      const refused = { ...latest, status: status as AssistantDeploymentStatus };
      await this.#manager.api.updateStatus(assistantDeployments, refused, { signal });
      this.#manager.events.record(stored, { type: 'Warning', reason: refusal.reason, note: refusal.message });
    } catch (error) {
      log.warn({ err: error }, 'the refusal could not be shown in the status');
    }
  }

  #observe(stored: StoredAssistantDeployment, release: ResolvedSpec): Snapshot {
    return this.#caches.observe(stored, release, {
      measurements: this.#measurements.of(objectKey(stored.metadata)),
      settings: this.#options.settings,
      sessionsOf: (uid) => this.#book.of(uid),
    });
  }

  #tellNotes(stored: StoredAssistantDeployment, notes: readonly Note[], log: ReconcileContext['log']): void {
    this.#teller.tellNotes(stored, notes, log);
    this.#metrics.told(notes);
  }

  /** Events, log lines, metrics and traces of the status: only after it has been stored. */
  #tell(stored: StoredAssistantDeployment, { subject }: Snapshot, next: Plan, log: ReconcileContext['log']): void {
    const { status: before } = subject;
    const after = next.writes.some((write) => write.kind === 'Status') ? next.status : before;
    this.#teller.tellWaits(objectKey(subject), stored, [before, after], this.#manager.clock.now(), log);
    if (after === before) return;
    this.#metrics.stored(before, after);
    for (const ended of endedBetween(before, after, subject.release.strategy, this.#manager.clock.now()))
      emit(this.#tracer, rootIds, subject, ended);
  }

  /** Asks the pods for their sessions beside the reconcile, and looks again when one of them says something new. */
  #askPods(request: Request, snapshot: Snapshot, next: Plan): void {
    const maxAgeMs = sessionsMaxAge(snapshot, next);
    this.#book.refresh(askedPods(snapshot), maxAgeMs, maxAgeMs === SESSIONS_AT_REST_MS, this.#stop.signal).then(
      (changed) => changed && this.#controller.enqueue(request),
      (error: unknown) => this.#manager.logger.error({ err: error }, 'asking pods for their sessions failed'),
    );
  }

  /** Asks the metric source beside the reconcile for what is due, and looks again when it has answered. */
  #measure(request: Request, { subject }: Snapshot, next: Plan): void {
    this.#measurements.forget(objectKey(request), next.measure);
    this.#measurements.refresh(subject, next.measure, subject.release.metrics, this.#stop.signal).then(
      (answered) => answered && this.#controller.enqueue(request),
      (error: unknown) => this.#manager.logger.error({ err: error }, 'measuring failed'),
    );
  }

  #lookAgain(snapshot: Snapshot, next: Plan, reportInMs: number | null): Result {
    const asks = sessionsMaxAge(snapshot, next);
    const until = next.lookAgainAt === null ? asks : Math.min(asks, next.lookAgainAt - this.#manager.clock.now());
    return requeueAfter(Math.max(0, Math.min(until, reportInMs ?? Infinity)));
  }
}

/** The pods whose sessions can be asked for. */
const askedPods = ({ subject: { namespace }, pods, records }: Snapshot): AskedPod[] =>
  pods.flatMap(({ uid, name, ip, running, revision, component }) => {
    if (!running || ip === null) return [];
    const port = records.find(({ hash }) => hash === revision)?.components[component]?.adminPort ?? 9090;
    return [{ uid, namespace, name, ip, port }];
  });

function sessionsMaxAge({ subject, pods }: Snapshot, { status, watchSessions }: Plan): number {
  const leaving = pods.some(({ running, removal }) => running && removal !== null);
  if (subject.deleting || leaving || (status.draining ?? []).length > 0) return SESSIONS_DRAINING_MS;
  return watchSessions ? SESSIONS_UNDER_WAY_MS : SESSIONS_AT_REST_MS;
}

/** What is wanted, or why it cannot be read; of an object that is deleted, always what its drain needs. */
function readRelease({ spec, metadata }: StoredAssistantDeployment): ResolvedSpec | InvalidSpecError {
  try {
    return withDefaults(spec);
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return metadata.deletionTimestamp === undefined ? error : LAST_RESORT;
  }
}
