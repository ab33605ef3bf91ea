// Entry of the realtime image: settings from the environment, start, stop on SIGTERM.
import { runService } from '@assistant-platform/kit/run';
import { startRealtime } from './service.ts';
import { readRealtimeSettings } from './settings.ts';

await runService(() => readRealtimeSettings(process.env), startRealtime);
