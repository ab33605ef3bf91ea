// The real state of the simulated cluster, in the words of the decision: the same snapshot that the operator makes of its caches, made of what is
// stored now and of what the pods really hold.
import { LABELS, withDefaults } from '@assistant-platform/api';
import {
  configMaps,
  deployments,
  endpointSlices,
  type KubeObject,
  type ObjectRef,
  podDisruptionBudgets,
  pods,
  type ResourceType,
  secrets,
  services,
} from '@assistant-platform/runtime';
import { snapshotOf } from '../../../operator/controller/observe.ts';
import { contentsOf, copiesOf, trimConfigMap, trimSecret } from '../../../operator/controller/references.ts';
import {
  assistantDeployments,
  controllerRevisions,
  type StoredAssistantDeployment,
} from '../../../operator/controller/resources.ts';
import { type Facts, gatherFacts } from '../../../operator/rollout/facts.ts';
import { adminSecretName } from '../../../operator/rollout/names.ts';
import type { Release } from '../../../operator/rollout/release.ts';
import { httpRoutes } from '../../../operator/traffic/httpRoute.ts';
import type { Cluster } from '../world/cluster.ts';

const releases = new WeakMap<object, Release>();

/** The spec with its defaults; each is read once, since what is stored never changes. */
export function releaseOf(subject: StoredAssistantDeployment): Release {
  const known = releases.get(subject.spec);
  if (known !== undefined) return known;
  const release = withDefaults(subject.spec);
  releases.set(subject.spec, release);
  return release;
}

/** Objects of a type that carry the name of the subject. */
export function ownedBy<T extends KubeObject>(cluster: Cluster, type: ResourceType<T>, ref: ObjectRef): T[] {
  return cluster.server
    .list(type)
    .filter(({ metadata }) => metadata.namespace === ref.namespace && metadata.labels?.[LABELS.name] === ref.name);
}

/** What is true now. @param as reads the subject in this state instead of the stored one. */
export function truth(cluster: Cluster, ref: ObjectRef, as?: StoredAssistantDeployment): Facts {
  const { server, sessions } = cluster;
  const subject = as ?? server.get(assistantDeployments, ref);
  const release = releaseOf(subject);
  const namespace = ref.namespace ?? '';
  const trimmed = <T extends KubeObject>(type: ResourceType<T>, trim: (object: T) => T) => ({
    get: (at: ObjectRef): T | undefined => {
      const object = server.find(type, at);
      return object && trim(object);
    },
  });
  return gatherFacts(
    snapshotOf({
      subject,
      release,
      revisions: ownedBy(cluster, controllerRevisions, ref),
      deployments: ownedBy(cluster, deployments, ref),
      pods: ownedBy(cluster, pods, ref),
      services: ownedBy(cluster, services, ref),
      endpointSlices: ownedBy(cluster, endpointSlices, ref),
      budgets: ownedBy(cluster, podDisruptionBudgets, ref),
      routes: ownedBy(cluster, httpRoutes, ref),
      adminSecret:
        server.find(secrets, { namespace, name: adminSecretName(ref.name) })?.metadata.labels?.[LABELS.name] ===
        ref.name,
      copies: [
        ...copiesOf(ownedBy<KubeObject>(cluster, configMaps, ref), 'ConfigMap'),
        ...copiesOf(ownedBy<KubeObject>(cluster, secrets, ref), 'Secret'),
      ],
      references: contentsOf(release, namespace, {
        configMaps: trimmed(configMaps, trimConfigMap),
        secrets: trimmed(secrets, trimSecret),
      }),
      measurements: [],
      settings: { settleMs: cluster.timing.settleMs },
      sessionsOf: (uid) => {
        const pod = sessions.of(uid);
        if (pod === undefined) return { kind: 'unknown' };
        return { kind: 'known', open: pod.open, busy: pod.busy, draining: pod.draining };
      },
    }),
  );
}
