// What people do to the AssistantDeployment, straight on the API server: nothing goes wrong on their way.
import { type AssistantDeploymentSpec, type Verb, VERBS } from '@assistant-platform/api';
import { configMaps } from '@assistant-platform/runtime';
import { assistantDeployments, type StoredAssistantDeployment } from '../../../operator/controller/resources.ts';
import type { ApiServer } from '../server/server.ts';
import type { ComponentSet, Version } from './actions.ts';
import { components, SETTINGS, spec, STRATEGIES, SUBJECT } from './specs.ts';
import type { StrategyKind } from './actions.ts';

const BY = 'person';

export class People {
  readonly #server: ApiServer;
  /** Told of each change of what is wanted. */
  readonly #onEdit: () => void;
  /** Specs that were asked for, for going back to the one before. */
  readonly #asked: AssistantDeploymentSpec[] = [];
  #set: ComponentSet = 'both';
  #replicas = 2;
  #version: string = '1.0.0';

  constructor(server: ApiServer, onEdit: () => void) {
    this.#server = server;
    this.#onEdit = onEdit;
  }

  get subject(): StoredAssistantDeployment | undefined {
    return this.#server.find(assistantDeployments, SUBJECT);
  }

  /** An order that the operator has not taken yet. */
  get waits(): boolean {
    const annotations = this.subject?.metadata.annotations ?? {};
    return Object.values(VERBS).some((verb) => annotations[verb] !== undefined);
  }

  create(strategy: AssistantDeploymentSpec['strategy'] = STRATEGIES.canary): void {
    if (this.subject !== undefined) return;
    this.#set = 'both';
    this.#replicas = 2;
    this.#version = '1.0.0';
    if (this.#server.find(configMaps, SETTINGS) === undefined)
      this.#server.create(configMaps, { metadata: SETTINGS, data: { mode: '0' } }, { by: BY });
    const wanted = spec('1.0.0', strategy);
    this.#asked.push(wanted);
    this.#server.create(assistantDeployments, { metadata: SUBJECT, spec: wanted }, { by: BY });
    this.#onEdit();
  }

  delete(): void {
    if (this.subject !== undefined) this.#server.delete(assistantDeployments, SUBJECT, { by: BY });
  }

  release(version: Version | '2.0.0'): void {
    this.#version = version;
    this.#edit({ release: version, components: this.#components() });
  }

  strategy(kind: StrategyKind): void {
    this.#edit({ strategy: STRATEGIES[kind] });
  }

  scale(replicas: number): void {
    this.#replicas = replicas;
    this.#edit({ components: this.#components() });
  }

  compose(set: ComponentSet): void {
    this.#set = set;
    this.#edit({ components: this.#components() });
  }

  pause(paused: boolean): void {
    this.#edit({ paused });
  }

  /** Back to what was asked for before: release and components, as `kubectl assistant undo` does it. */
  undo(): void {
    this.#asked.pop();
    const before = this.#asked.at(-1);
    if (before !== undefined) this.#edit({ release: before.release, components: before.components }, false);
  }

  configure(value: number): void {
    this.#server.patch(configMaps, SETTINGS, { data: { mode: String(value) } }, { by: BY });
    this.#onEdit();
  }

  /** @param now when it is asked for, epoch ms. */
  restart(now: number): void {
    this.verb('restart', new Date(now).toISOString());
    this.#onEdit();
  }

  verb(verb: Verb, value: string): void {
    if (this.subject === undefined) return;
    this.#server.patch(
      assistantDeployments,
      SUBJECT,
      { metadata: { annotations: { [VERBS[verb]]: value } } },
      { by: BY },
    );
  }

  #components(): AssistantDeploymentSpec['components'] {
    return components(this.#version, this.#replicas, this.#set);
  }

  #edit(change: Partial<AssistantDeploymentSpec>, remember = true): void {
    const subject = this.subject;
    if (subject === undefined) return;
    const wanted = { ...subject.spec, ...change };
    const { resourceVersion } = subject.metadata;
    this.#server.update(
      assistantDeployments,
      { metadata: { ...subject.metadata, resourceVersion }, spec: wanted },
      { by: BY },
    );
    if (remember && (change.release !== undefined || change.components !== undefined)) this.#asked.push(wanted);
    this.#onEdit();
  }
}
