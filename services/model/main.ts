// Entry of the model image: settings from the environment, start, stop on SIGTERM.
import { runService } from '@assistant-platform/kit/run';
import { startModel } from './service.ts';
import { readModelSettings } from './settings.ts';

await runService(() => readModelSettings(process.env), startModel);
