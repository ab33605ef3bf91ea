// Where `npm start` keeps what: one state folder in the clone, named `start`.
import { join } from 'node:path';

/** The clone. */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** State of the instance of `npm start`: cluster, Pulumi stack, kubeconfig. */
export const START_STATE = join(REPOSITORY, '.state', 'start');

/** One log file for each task of `npm start`. */
export const START_LOGS = join(REPOSITORY, '.state', 'logs');
