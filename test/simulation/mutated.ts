/** `MUTATION=name node --import ./test/simulation/mutated.ts FILE`: runs a test file against a mutated source. */
import { mutate } from './mutations.ts';

mutate(process.env['MUTATION'] ?? '');
