// Releases as a person would make them: one edit of the custom resource, one look at its status until it is over.
import { setTimeout as delay } from 'node:timers/promises';
import { CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { AssistantDeployment } from '@assistant-platform/api';

const group = 'assistant-platform.io';
const version = 'v1alpha1';
const plural = 'assistantdeployments';

/** The AssistantDeployment of the demonstration. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

/** How often the status is looked at, in milliseconds. */
const lookEvery = 500;

/** Edits and watches one AssistantDeployment. */
export class Releases {
  readonly #api: CustomObjectsApi;
  readonly #target: Target;

  constructor(kubeconfig: string, target: Target, context?: string) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    if (context !== undefined) config.setCurrentContext(context);
    this.#api = config.makeApiClient(CustomObjectsApi);
    this.#target = target;
  }

  /** The object as it is now. */
  async read(): Promise<AssistantDeployment> {
    return (await this.#api.getNamespacedCustomObject({
      group,
      version,
      plural,
      ...this.#target,
    })) as AssistantDeployment;
  }

  /** Edits the spec by a merge patch, like `kubectl patch --type=merge`; null removes a field. */
  async edit(spec: Readonly<Record<string, unknown>>): Promise<AssistantDeployment> {
    return this.#patch({ spec });
  }

  /** Puts another spec in the place of the present one, like `kubectl replace`. */
  async replace(spec: AssistantDeployment['spec']): Promise<AssistantDeployment> {
    const body = [{ op: 'replace', path: '/spec', value: spec }];
    const answer: unknown = await this.#api.patchNamespacedCustomObject(
      { group, version, plural, ...this.#target, body },
      setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
    );
    return answer as AssistantDeployment;
  }

  /** Writes a verb as the command line does (`assistant-platform.io/<verb>`). */
  async verb(verb: 'promote' | 'abort' | 'retry', value: string): Promise<void> {
    await this.#patch({ metadata: { annotations: { [`${group}/${verb}`]: value } } });
  }

  async #patch(body: object): Promise<AssistantDeployment> {
    const answer: unknown = await this.#api.patchNamespacedCustomObject(
      { group, version, plural, ...this.#target, body },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    return answer as AssistantDeployment;
  }

  /**
   * Looks at the object until `done` says so, calling `onChange` whenever what it shows has changed.
   * @throws Error with the last message of the object when it takes longer than `timeoutMs`.
   */
  async until(
    done: (object: AssistantDeployment) => boolean,
    options: {
      readonly timeoutMs: number;
      readonly what: string;
      readonly onLook?: (object: AssistantDeployment) => void;
    },
  ): Promise<AssistantDeployment> {
    const end = Date.now() + options.timeoutMs;
    for (;;) {
      const object = await this.read();
      options.onLook?.(object);
      if (done(object)) return object;
      if (Date.now() > end) {
        const seen = object.status?.message ?? 'no status';
        throw new Error(`${options.what}: not reached in ${options.timeoutMs / 1000} s; it says: ${seen}`);
      }
      await delay(lookEvery);
    }
  }
}

/** True when the generation of `edited` has been taken up and nothing is under way. */
export function settled(edited: AssistantDeployment): (object: AssistantDeployment) => boolean {
  const generation = edited.metadata.generation ?? 0;
  return ({ status }) =>
    status !== undefined && (status.observedGeneration ?? 0) >= generation && status.phase === 'Healthy';
}
