// Entry of the chat image: settings from the environment, start, stop on SIGTERM.
import { runService } from '@assistant-platform/kit/run';
import { startChat } from './service.ts';
import { readChatSettings } from './settings.ts';

await runService(() => readChatSettings(process.env), startChat);
