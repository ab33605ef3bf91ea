/** Reads the stack's configuration from Pulumi, and what applies to all resources of the stack. */
import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { ConfigError, OBJECT_SETTINGS, parseSettings } from './config.ts';
import type { Settings } from './config.ts';
import { secretsFrom } from './secrets.ts';
import type { SecretSource } from './secrets.ts';

/** The configuration of the stack that is running. */
export interface StackConfig {
  readonly settings: Settings;
  readonly secrets: SecretSource;
}

/**
 * Reads and checks the whole configuration.
 *
 * @throws pulumi.RunError listing everything that is wrong; Pulumi shows its message alone, without a stack trace
 */
export function readStackConfig(): StackConfig {
  const config = new pulumi.Config();
  const prefix = `${config.name}:`;
  const raw: Record<string, unknown> = {};
  for (const full of Object.keys(pulumi.runtime.allConfig())) {
    if (!full.startsWith(prefix)) continue;
    const key = full.slice(prefix.length);
    if (key === 'seed') continue;
    raw[key] = OBJECT_SETTINGS.has(key) ? config.getObject(key) : config.get(key);
  }
  const seed = config.getSecret('seed');
  try {
    return { settings: parseSettings(raw, seed !== undefined), secrets: secretsFrom(seed ?? '') };
  } catch (error) {
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/** The cluster of the current kubeconfig (KUBECONFIG), or of the context that the settings name. */
export function clusterOf(settings: Settings): k8s.Provider {
  return new k8s.Provider('cluster', {
    enableServerSideApply: true,
    // All of the stack at once: with the client's usual 5 requests a second, most of the time would go into waiting.
    kubeClientSettings: { qps: 200, burst: 400 },
    ...(settings.context === undefined ? {} : { context: settings.context }),
  });
}

/** Longest that the deletion of an object may take, for what says nothing else. */
const DELETE_TIMEOUT = '3m';

/**
 * What holds for every Kubernetes object of the stack, also for those that a chart makes:
 *
 * - Deletion in the background. Pulumi's own choice is the foreground, where the garbage collector removes what an object
 *   owns first: it would tear the pods from under an AssistantDeployment whose operator is still draining them. In the
 *   background an object without finalizers is gone when the request returns, which also avoids a race in the provider
 *   (seen with 4.18.1): it asks whether the object is there, then starts to watch; what vanishes between the two is
 *   waited for until the time is up.
 * - A time limit on deletion, so that this race, where finalizers leave room for it, costs minutes and not ten.
 * - With `skipAwait`: nobody waits for readiness, because without a node nothing ever becomes ready.
 */
export function applyToAll(settings: Pick<Settings, 'skipAwait'>): void {
  pulumi.runtime.registerResourceTransform(({ type, props, opts }) => {
    const metadata = props['metadata'] as { annotations?: Record<string, string> } | undefined;
    if (!type.startsWith('kubernetes:') || metadata === undefined) return undefined;
    return {
      props: {
        ...props,
        metadata: { ...metadata, annotations: annotate(metadata.annotations ?? {}, settings.skipAwait) },
      },
      opts: { ...opts, customTimeouts: { delete: DELETE_TIMEOUT, ...opts.customTimeouts } },
    };
  });
}

/** The annotations that Pulumi's provider goes by, added to an object's own. */
export function annotate(own: Readonly<Record<string, string>>, skipAwait: boolean): Record<string, string> {
  const background = { 'pulumi.com/deletionPropagationPolicy': 'background' };
  if (!skipAwait) return { ...own, ...background };
  const { 'pulumi.com/waitFor': _, ...rest } = own;
  return { ...rest, ...background, 'pulumi.com/skipAwait': 'true' };
}
