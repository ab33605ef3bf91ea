// Keeps one component running: starts it, finds out when it is ready, starts it again with back-off when it ends unasked, stops it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { HOPELESS, crashesInARow, restartDelay } from './backoff.ts';
import { isReady } from './probe.ts';
import type { Component } from './specification.ts';
import { describeExit } from './status.ts';
import type { ComponentStatus, Exit } from './status.ts';

const PROBE_EVERY_MS = 50;

/** Where a component's output goes and who hears of it. */
export interface Surroundings {
  readonly logFile: string;
  /** The same file by the name that a person outside the instance's namespaces finds it under. */
  readonly visibleLogFile: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The status changed. */
  changed(): void;
  /** Something that a person wants to know, in one line. */
  event(line: string): void;
}

/** One supervised component. */
export class ComponentProcess {
  readonly component: Component;
  /** Resolves when the component was ready for the first time; rejects when it ended {@link HOPELESS} times before that. */
  readonly firstReady: Promise<void>;
  status: ComponentStatus = { state: 'waiting', restarts: 0 };

  readonly #around: Surroundings;
  readonly #stopAsked = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;
  #resolveReady: () => void = () => undefined;
  #rejectReady: (error: Error) => void = () => undefined;

  constructor(component: Component, around: Surroundings) {
    this.component = component;
    this.#around = around;
    this.firstReady = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Whoever waits sees the rejection; a component that nobody waits for must not end the supervisor.
    this.firstReady.catch(() => undefined);
  }

  /** Starts the component and keeps it running until {@link stop}. */
  start(): void {
    this.#running ??= this.#keepRunning();
  }

  /** Asks the process to end, and ends it by force after `graceMs`. Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    this.#stopAsked.abort();
    const child = this.#child;
    if (child !== undefined) {
      child.kill('SIGTERM');
      const force = setTimeout(() => {
        this.#around.event(`${this.component.name} did not end within ${graceMs / 1000} s and was killed`);
        child.kill('SIGKILL');
      }, graceMs);
      await this.#running;
      clearTimeout(force);
    }
    await this.#running;
    this.#set({ state: 'stopped', restarts: this.status.restarts });
  }

  async #keepRunning(): Promise<void> {
    const { name } = this.component;
    let inARow = 0;
    while (!this.#stopping()) {
      const exit = await this.#runOnce();
      if (this.#stopping()) return;
      inARow = crashesInARow(inARow, exit.ranForMs);
      const wasReady = this.status.readyAt !== undefined;
      this.#set({ state: 'restarting', restarts: this.status.restarts + 1, lastExit: exit });
      const ran = `${name} ${describeExit(exit)} after ${(exit.ranForMs / 1000).toFixed(1)} s`;
      if (inARow >= HOPELESS && !wasReady) {
        this.#around.event(`${ran}, ${inARow} times in a row`);
        this.#rejectReady(new Error(`${ran}, ${inARow} times in a row`));
      }
      const pause = restartDelay(inARow);
      this.#around.event(`${ran}; starting it again in ${pause / 1000} s (log: ${this.#around.visibleLogFile})`);
      await delay(pause, undefined, { signal: this.#stopAsked.signal }).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<Exit> {
    const [file, ...args] = this.component.command;
    const log = openSync(this.#around.logFile, 'a', 0o600);
    const startedAt = new Date();
    const child = spawn(file, args, { stdio: ['ignore', log, log], env: this.#around.environment });
    closeSync(log);
    this.#child = child;
    this.#set({
      state: 'starting',
      restarts: this.status.restarts,
      startedAt: startedAt.toISOString(),
      ...(child.pid === undefined ? {} : { pid: child.pid }),
      ...(this.status.lastExit === undefined ? {} : { lastExit: this.status.lastExit }),
    });
    const ended = new Promise<Exit>((resolve) => {
      const settle = (code: number | null, signal: string | null): void => {
        const now = new Date();
        resolve({ code, signal, at: now.toISOString(), ranForMs: now.getTime() - startedAt.getTime() });
      };
      child.on('error', (error) => {
        this.#around.event(`${this.component.name} cannot be started: ${error.message}`);
        if (child.pid === undefined) settle(127, null);
      });
      child.on('exit', settle);
    });
    void this.#watchReadiness(child);
    const exit = await ended;
    this.#child = undefined;
    return exit;
  }

  async #watchReadiness(child: ChildProcess): Promise<void> {
    while (this.#child === child && !this.#stopping()) {
      const ready = await isReady(this.component.ready);
      // The process may have ended, and another may run, since the question was asked.
      if (this.#child !== child) return;
      if (ready) {
        this.#set({ ...this.status, state: 'ready', readyAt: new Date().toISOString() });
        this.#resolveReady();
        return;
      }
      await delay(PROBE_EVERY_MS);
    }
  }

  // A method, for what is aborted may change during any await.
  #stopping(): boolean {
    return this.#stopAsked.signal.aborted;
  }

  #set(status: ComponentStatus): void {
    this.status = status;
    this.#around.changed();
  }
}
