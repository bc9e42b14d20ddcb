/** Loaded before everything else in each process of `npm run shadow`, by NODE_OPTIONS. */
import { registerHooks } from 'node:module';

const MATCH = new URL('../../src/policy/match.ts', import.meta.url).href;
const NEGATED = new URL('./negated-match.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url === MATCH && context.parentURL !== NEGATED ? { ...found, url: NEGATED } : found;
  },
});
