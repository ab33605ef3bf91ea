#!/usr/bin/env node
// kubectl asks this for the completion of `kubectl assistant ...`: the words up to the cursor in, candidates out.
process.argv.splice(2, 0, '__complete', '--');
await import('./kubectl-assistant.mjs');
