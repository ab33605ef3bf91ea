// The pod template of one component in one revision: the pod contract (docs/reference/pod-contract.md), then the person's own patch on top.
import { ADMIN_TOKEN_DIRECTORY, adminSecretName, childLabels } from './names.ts';
import type { ComponentSpec, Release } from './release.ts';
import { strategicMerge } from './strategicMerge.ts';

/**
 * Time that a pod has beyond the drain deadline when it is deleted by somebody else (node drain, scheduler, kubectl): preStop, the moment in which
 * gateways notice, and answers that end. Our own removals drain before, and end at once.
 */
const GRACE_BEYOND_DRAIN_SECONDS = 45;
/** A pod that is deleted keeps serving this long, until every proxy and gateway has dropped it from its list. */
const PRE_STOP_SECONDS = 5;

export interface PodTemplateInputs {
  readonly subjectName: string;
  readonly component: string;
  readonly hash: string;
  readonly release: string;
  readonly spec: ComponentSpec;
  readonly drain: Release['drain'];
}

/** Renders a corev1.PodTemplateSpec. */
export function renderPodTemplate(inputs: PodTemplateInputs): Record<string, unknown> {
  const { subjectName, component, hash, spec, drain } = inputs;
  const labels = childLabels(subjectName, component, hash);
  const grace = Math.ceil(drain.deadlineMs / 1000) + GRACE_BEYOND_DRAIN_SECONDS;
  const template = {
    metadata: {
      labels,
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': String(spec.adminPort),
        'prometheus.io/path': '/metrics',
      },
    },
    spec: {
      terminationGracePeriodSeconds: grace,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [container(inputs, ownGrace(spec.template) ?? grace)],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'assistant-admin', secret: { secretName: adminSecretName(subjectName), defaultMode: 0o440 } },
      ],
    },
  };
  const patched = strategicMerge(template, spec.template);
  return withOwnLabels(patched, labels);
}

/** The grace period that a person's patch asks for, seconds. */
function ownGrace(template: ComponentSpec['template']): number | null {
  const seconds = (template['spec'] as { terminationGracePeriodSeconds?: unknown } | undefined)
    ?.terminationGracePeriodSeconds;
  return typeof seconds === 'number' ? seconds : null;
}

/**
 * @param grace of the pod, seconds: Kubernetes refuses a preStop that takes all of it. A negative one is a mistake that Kubernetes would take for one second; with
 *   a preStop beside it, it is refused, and the status names it.
 */
function container(
  { subjectName, component, hash, release, spec, drain }: PodTemplateInputs,
  grace: number,
): Record<string, unknown> {
  const preStop = grace < 0 ? PRE_STOP_SECONDS : Math.min(PRE_STOP_SECONDS, grace - 1);
  const probe = (path: string, failureThreshold: number) => ({
    httpGet: { path, port: 'http' },
    periodSeconds: 2,
    timeoutSeconds: 2,
    failureThreshold,
  });
  return {
    name: component,
    image: spec.image,
    ports: [
      { name: 'http', containerPort: spec.port },
      { name: 'admin', containerPort: spec.adminPort },
    ],
    env: [
      { name: 'ASSISTANT_NAME', value: subjectName },
      { name: 'ASSISTANT_COMPONENT', value: component },
      { name: 'ASSISTANT_REVISION', value: hash },
      { name: 'ASSISTANT_RELEASE', value: release },
      { name: 'ASSISTANT_ADMIN_TOKEN_FILE', value: `${ADMIN_TOKEN_DIRECTORY}/token` },
      // What a pod needs to drain itself on SIGTERM as the operator would have it drained.
      { name: 'ASSISTANT_DRAIN_SECONDS', value: String(Math.ceil(drain.deadlineMs / 1000)) },
      { name: 'ASSISTANT_DRAIN_PER_SECOND', value: String(drain.closePerSecond) },
      ...(spec.port === 8080 ? [] : [{ name: 'PORT', value: String(spec.port) }]),
      ...(spec.adminPort === 9090 ? [] : [{ name: 'ADMIN_PORT', value: String(spec.adminPort) }]),
      ...spec.env,
    ],
    ...(spec.envFrom.length === 0 ? {} : { envFrom: [...spec.envFrom] }),
    resources: spec.resources,
    readinessProbe: probe('/readyz', 2),
    livenessProbe: { ...probe('/healthz', 6), periodSeconds: 10 },
    startupProbe: probe('/healthz', 60),
    ...(preStop < 1 ? {} : { lifecycle: { preStop: { sleep: { seconds: preStop } } } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'assistant-admin', mountPath: ADMIN_TOKEN_DIRECTORY, readOnly: true },
    ],
  };
}

/** A patch may add labels but not take the pod out of its own revision: selectors and routing hang on these. */
function withOwnLabels(template: Record<string, unknown>, labels: Record<string, string>): Record<string, unknown> {
  const metadata = template['metadata'] as { labels?: Record<string, string> } | undefined;
  return { ...template, metadata: { ...metadata, labels: { ...metadata?.labels, ...labels } } };
}
