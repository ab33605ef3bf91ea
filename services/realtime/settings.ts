// What the realtime service reads from its environment.
import {
  answerSettings,
  count,
  flagSettings,
  milliseconds,
  podSettings,
  readSettings,
  redisSettings,
  secretsSettings,
} from '@assistant-platform/kit/config';
import { z } from 'zod';

const realtimeSettings = podSettings
  .extend(secretsSettings.shape)
  .extend(redisSettings.shape)
  .extend(flagSettings.shape)
  .extend(answerSettings.shape)
  .extend({
    /** Sockets of this process; the next one gets 503. */
    MAX_CONNECTIONS: count(12_000),
    /** Conversations that one socket may have joined. */
    MAX_CONVERSATIONS: count(16, 1, 1_000),
    /** Larger frames close the socket with 1009 before they are parsed. */
    MAX_MESSAGE_BYTES: count(16_384, 256, 10_000_000),
    /** Frames a second that a socket may send for long, and at once. */
    MESSAGE_RATE: count(20, 1, 100_000),
    MESSAGE_BURST: count(40, 1, 100_000),
    /** Unsent bytes at which a socket is shed as too slow. */
    MAX_BUFFERED_BYTES: count(1_048_576, 1_024),
    HEARTBEAT_MS: milliseconds(25_000),
    IDLE_MS: milliseconds(1_800_000),
    LOGIN_TIMEOUT_MS: milliseconds(5_000),
    /** Upper bound of the jitter in `reconnect` frames. */
    RECONNECT_JITTER_MS: milliseconds(500),
    /** After SIGTERM: how long sockets with an answer under way are left open, instead of ASSISTANT_DRAIN_SECONDS. */
    STOP_DRAIN_MS: z.coerce.number().int().min(0).max(86_400_000).optional(),
    /** Origins that browsers may connect from, separated by commas; all when not set. */
    ALLOWED_ORIGINS: z
      .string()
      .transform((text) => text.split(',').map((origin) => origin.trim()))
      .optional(),
  });
export type RealtimeSettings = z.output<typeof realtimeSettings>;

/** @throws SettingsError listing every wrong variable */
export const readRealtimeSettings = (environment: NodeJS.ProcessEnv): RealtimeSettings =>
  readSettings(realtimeSettings, environment);

/** How long sockets may take to leave after SIGTERM: a pod that is evicted is drained like one that is replaced. */
export const stopDrainMs = ({ STOP_DRAIN_MS, ASSISTANT_DRAIN_SECONDS }: RealtimeSettings): number =>
  STOP_DRAIN_MS ?? (ASSISTANT_DRAIN_SECONDS ?? 15) * 1000;
