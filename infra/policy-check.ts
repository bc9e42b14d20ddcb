/**
 * `npm run policy:check -- --policy FILE [--against FILE] [--comment FILE]`: the step of `.github/workflows/policy.yml`
 * for a pull request. Needs no broker and no rights. Exit 1 where the broker would refuse the policy.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readCommandLine, wrongUsage } from '../src/command-line.ts';
import { type Environment, parseEnvironments } from './environments.ts';
import { reviewOf } from './policy-comment.ts';

const usage = `npm run policy:check -- --policy FILE [options]

  --policy FILE         the policy as it would be
  --against FILE        the policy as it is; a file that is not there: none
  --environments FILE   who has which role on which account; roles that are not
                        there yet are named, and are no reason to fail; a file
                        that is not there: not compared
  --environment NAME    the entry of it
  --tenant ID           the broker's own tenant: says when its operators leave
  --comment FILE        writes the text for the reviewer there, and not to the
                        standard output

Exit code 1 where the broker would refuse the policy.`;
const { values } = readCommandLine(usage, {
  options: {
    policy: { type: 'string' },
    against: { type: 'string' },
    environments: { type: 'string' },
    environment: { type: 'string' },
    tenant: { type: 'string' },
    comment: { type: 'string' },
  },
});
if (values.policy === undefined) wrongUsage(usage, '--policy is missing');

const { isValid, comment } = reviewOf({
  before: textOf(values.against),
  after: readFileSync(values.policy, 'utf8'),
  environment: environmentOf(textOf(values.environments)),
  homeTenantId: values.tenant,
});
if (values.comment === undefined) process.stdout.write(comment);
else writeFileSync(values.comment, comment);
process.exitCode = isValid ? 0 : 1;

function textOf(file: string | undefined): string | undefined {
  return file === undefined || !existsSync(file) ? undefined : readFileSync(file, 'utf8');
}

function environmentOf(text: string | undefined): Environment | undefined {
  if (text === undefined) return undefined;
  const { environment: name } = values;
  const found = name === undefined ? undefined : parseEnvironments(text).get(name);
  return found ?? wrongUsage(usage, `--environment must name an entry of ${values.environments}`);
}
