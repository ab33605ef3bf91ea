// What tests of controllers need from this package: a clock that they move by hand, and an API server in memory.
export { ManualClock } from '../clock/manual-clock.ts';
export { type Interceptor, MemoryApi } from './memory-api.ts';
export * from './scripted-server.ts';
