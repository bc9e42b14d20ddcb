/** The options of `npm start`. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { readCommandLine } from '../command-line.ts';
import { loadPolicy } from '../policy/load.ts';
import { MAX_ACCOUNTS } from './simulated/policy-world.ts';

const whole = (name: string, min: number, max: number) =>
  z.coerce
    .number(`${name} must be a number`)
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: `${name} must be a whole number from ${min} to ${max}`,
    });

const schema = z.object({
  json: z.boolean().default(false),
  /** Undefined: the default, 7071, with the well-known ports for the rest. */
  port: whole('--port', 0, 65535).optional(),
  speed: z.coerce
    .number('--speed must be a number')
    .positive('--speed must be above 0')
    .max(100_000, '--speed must be 100000 at most')
    .default(1),
  data: z
    .string()
    .min(1)
    .transform((folder) => resolve(folder))
    .optional(),
  policy: z
    .string()
    .transform((file) => resolve(file))
    .refine(existsSync, { error: ({ input }) => `--policy: there is no file ${input}`, abort: true })
    .superRefine((file, context) => {
      try {
        const { length } = loadPolicy(readFileSync(file, 'utf8')).resources;
        if (length > MAX_ACCOUNTS)
          context.addIssue(
            `--policy: ${length} accounts, and the local mode simulates ${MAX_ACCOUNTS} at most: each listens at two ports`,
          );
      } catch (error) {
        context.addIssue(`--policy: ${error instanceof Error ? error.message : error}`);
      }
    })
    .optional(),
  instances: whole('--instances', 1, 16).default(1),
});
export type Options = z.infer<typeof schema>;

export const usage = `npm start -- [options]

  --json         one line of JSON on stdout when all is up; log lines on stderr
  --port N       the broker's port (default 7071, 0 picks one)
  --speed X      time runs X times as fast as the clock on the wall (default 1)
  --data DIR     where tables, vault and accounts live (default: a temporary
                 folder, removed on exit)
  --policy FILE  a policy of your own (default: a demo set). Its accounts
                 (${MAX_ACCOUNTS} at most), tenants and groups are simulated, with a caller
                 for each rule of its grants, named after the grant, beside
                 operator, auditor, publisher and outsider. Its tenant home,
                 else the first, is the broker's own. Ask for an account by its
                 name: its endpoint is a local address, as description.json says
  --instances N  broker instances, each its own process (default 1)

npm prints two lines of its own before. With \`npm start --silent -- --json\`
stdout has the one line alone.`;

/** @throws Error that says, in words for a person, what is wrong with the options. */
export function readOptions(args: readonly string[]): Options {
  const options = {
    json: { type: 'boolean' },
    port: { type: 'string' },
    speed: { type: 'string' },
    data: { type: 'string' },
    policy: { type: 'string' },
    instances: { type: 'string' },
  } as const;
  const { values } = readCommandLine(usage, { options }, args);
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new Error(
    parsed.error.issues
      .map(({ path, message }) => (message.startsWith('--') ? message : `--${path.join('.')}: ${message}`))
      .join('\n'),
  );
}
