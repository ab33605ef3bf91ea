// Entry of the chat image: settings from the environment, start, stop on SIGTERM.
import { SettingsError } from '@assistant-platform/kit/config';
import { stopOnSignal } from '@assistant-platform/kit/lifecycle';
import { startChat } from './service.ts';
import { readChatSettings } from './settings.ts';

try {
  const settings = readChatSettings(process.env);
  const chat = await startChat(settings);
  const { lifecycle, log } = chat.base;
  stopOnSignal({
    lifecycle,
    log,
    steps: () => chat.stopSteps(),
    delayMs: settings.SHUTDOWN_DELAY_MS,
    timeoutMs: settings.SHUTDOWN_TIMEOUT_MS,
  });
  await chat.ready;
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(1);
}
