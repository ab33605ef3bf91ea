// `node --import ./test/mutants/load-hook.ts PROGRAM`: runs a program with one module of the decision changed (see replacement.ts).
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { readReplacement, replaceIn } from './replacement.ts';

const mutant = readReplacement(process.env);

if (mutant !== null) {
  const { href } = pathToFileURL(mutant.path);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== href) return loaded;
      const { source } = loaded;
      if (source === undefined) throw new Error(`${url} was loaded without its text`);
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, source: replaceIn(text, mutant) };
    },
  });
}
