/** The flags that exist from the start; each is made once, switched off, and then belongs to people. */
import type { FlagDefinition } from './components/feature-flags.ts';

/** Unleash environment of the dev tier. */
export const FLAG_ENVIRONMENT = 'development';

/** Flags that the services read. */
export const FLAGS: readonly FlagDefinition[] = [
  {
    name: 'new-memory',
    description: 'Send earlier turns of the conversation to the model.',
    environment: FLAG_ENVIRONMENT,
    rollout: 100,
    stickiness: 'conversationId',
  },
];
