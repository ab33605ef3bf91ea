// Feature flags: Unleash behind OpenFeature. Asking a flag never waits for the network and never fails: the last
// known rules decide (in memory, then from the file of an earlier run), then the default.
import { ErrorCode, OpenFeature, StandardResolutionReasons } from '@openfeature/server-sdk';
import type { EvaluationContext, Provider, ResolutionDetails } from '@openfeature/server-sdk';
import { Unleash } from 'unleash-client';
import type { FlagSettings } from './config.ts';
import type { DependencyState } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { SecretsStore } from './secrets.ts';

/** Flags that the services ask, with their defaults. */
export const flagDefaults = {
  /** Earlier turns of the conversation go to the model as well. */
  'new-memory': false,
} as const;
export type FlagName = keyof typeof flagDefaults;

export interface Flags {
  /** Rolled out by conversation (stickiness conversationId), so one conversation never flips back and forth. */
  isOn(flag: FlagName, conversationId: string): Promise<boolean>;
  state(): DependencyState;
  close(): Promise<void>;
}

/** The part of OpenFeature's provider interface that boolean flags need, answered by unleash-client. */
function unleashProvider(unleash: Unleash): Provider {
  const mismatch = <T>(value: T): Promise<ResolutionDetails<T>> =>
    Promise.resolve({ value, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.TYPE_MISMATCH });
  return {
    metadata: { name: 'unleash' },
    resolveBooleanEvaluation: (flag, fallback, context) => {
      const known = unleash.getFeatureToggleDefinition(flag) !== undefined;
      const { targetingKey, ...properties } = context;
      const texts = Object.fromEntries(
        Object.entries(properties).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
      );
      const value = unleash.isEnabled(
        flag,
        { ...(targetingKey === undefined ? {} : { userId: targetingKey }), properties: texts },
        fallback,
      );
      const reason = known ? StandardResolutionReasons.TARGETING_MATCH : StandardResolutionReasons.DEFAULT;
      return Promise.resolve({ value, reason });
    },
    resolveStringEvaluation: (_flag, fallback) => mismatch(fallback),
    resolveNumberEvaluation: (_flag, fallback) => mismatch(fallback),
    resolveObjectEvaluation: (_flag, fallback) => mismatch(fallback),
    onClose: () => {
      unleash.destroy();
      return Promise.resolve();
    },
  };
}

let instances = 0;

/** @param appName how Unleash lists this application, e.g. `assistant-chat` */
export async function openFlags(
  settings: FlagSettings,
  secrets: SecretsStore,
  appName: string,
  log: Logger,
): Promise<Flags> {
  const url = settings.UNLEASH_URL;
  if (url === undefined) {
    return {
      isOn: (flag) => Promise.resolve(flagDefaults[flag]),
      state: () => ({ ok: true, detail: 'UNLEASH_URL is not set: flags have their defaults' }),
      close: () => Promise.resolve(),
    };
  }
  let trouble: string | undefined = 'not fetched yet';
  const unleash = new Unleash({
    url: url.endsWith('/') ? url : `${url}/`,
    appName,
    environment: settings.UNLEASH_ENVIRONMENT,
    refreshInterval: settings.UNLEASH_REFRESH_MS,
    timeout: 5_000,
    backupPath: settings.UNLEASH_BACKUP_DIR,
    customHeadersFunction: () => Promise.resolve({ Authorization: secrets.current()?.unleashToken ?? '' }),
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  // unleash-client throws what nobody listens to.
  unleash.on('error', (error: Error) => {
    if (trouble !== error.message) log.warn({ reason: error.message }, 'Unleash is away; the last known flags decide');
    trouble = error.message;
  });
  unleash.on('warn', (message: string) => {
    log.debug({ reason: message }, 'unleash-client');
  });
  const fetched = () => {
    if (trouble !== undefined) log.info('flags fetched from Unleash');
    trouble = undefined;
  };
  unleash.on('changed', fetched);
  unleash.on('unchanged', fetched);
  void unleash.start();

  const domain = `${appName}-${++instances}`;
  await OpenFeature.setProviderAndWait(domain, unleashProvider(unleash));
  const client = OpenFeature.getClient(domain);
  return {
    isOn: async (flag, conversationId) => {
      const context: EvaluationContext = { targetingKey: conversationId, conversationId };
      return await client.getBooleanValue(flag, flagDefaults[flag], context);
    },
    state: () => ({ ok: trouble === undefined, ...(trouble === undefined ? {} : { detail: trouble }) }),
    close: () => {
      unleash.destroy();
      return Promise.resolve();
    },
  };
}
