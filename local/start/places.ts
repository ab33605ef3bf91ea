// Where `npm start` keeps what: one state folder in the clone, named `start`.
import { join } from 'node:path';

/** The clone. */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** The name in ASSISTANT_PLATFORM_INSTANCE: the tests run the same commands on an instance of their own, and on nothing else. */
export const CHOSEN_INSTANCE = process.env['ASSISTANT_PLATFORM_INSTANCE'];

const INSTANCE = CHOSEN_INSTANCE ?? 'start';
if (!/^[a-z][a-z0-9-]{0,30}$/.test(INSTANCE)) {
  throw new Error(
    `ASSISTANT_PLATFORM_INSTANCE is "${INSTANCE}": write a short name of a-z, 0-9 and -, such as "test".`,
  );
}

/** State of the instance: cluster, Pulumi stack, kubeconfig. */
export const START_STATE = join(REPOSITORY, '.state', INSTANCE);

/** One log file for each task of `npm start`. */
export const START_LOGS = join(START_STATE, 'logs');
