/**
 * Loaded before everything else in each process of `npm run shadow`, by NODE_OPTIONS. Which half it is stands in its own
 * URL, since the local mode does not pass every environment variable on to the broker.
 */
import { registerHooks } from 'node:module';

const MATCH = new URL('../../src/policy/match.ts', import.meta.url).href;
const NEGATED = new URL(`./negated-match.ts${new URL(import.meta.url).search}`, import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url === MATCH && context.parentURL !== NEGATED ? { ...found, url: NEGATED } : found;
  },
});
