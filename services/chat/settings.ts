// What the chat service reads from its environment.
import {
  answerSettings,
  flagSettings,
  podSettings,
  readSettings,
  redisSettings,
  secretsSettings,
} from '@assistant-platform/kit/config';
import type { z } from 'zod';

const chatSettings = podSettings
  .extend(secretsSettings.shape)
  .extend(redisSettings.shape)
  .extend(flagSettings.shape)
  .extend(answerSettings.shape);
export type ChatSettings = z.output<typeof chatSettings>;

/** @throws SettingsError listing every wrong variable */
export const readChatSettings = (environment: NodeJS.ProcessEnv): ChatSettings =>
  readSettings(chatSettings, environment);
