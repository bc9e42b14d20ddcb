/** The forms of text in a policy. Each says what was written instead, what is wanted, and an example. */
import * as z from 'zod';
import { asGuid, GUID } from '../guid.ts';
import { quoted } from './words.ts';

/**
 * A text that matches a regular expression. The message does not show the expression.
 * @param wanted what the text is, as in "is no …"
 * @param hint a better example, made from what was written
 */
export const written = (
  shape: RegExp,
  wanted: string,
  example: string,
  hint: (text: string) => string = () => example,
) =>
  z
    .string()
    .regex(shape, {
      error: ({ input }) =>
        `${quoted(input)} is no ${wanted}, for example ${JSON.stringify(hint(String(input)))}`,
    })
    .meta({ examples: [example] });

export const name = written(
  /^[a-z0-9][a-z0-9-]{0,62}$/,
  'name of lower-case letters, digits and hyphens, at most 63',
  'speech',
  (text) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 63) || 'speech',
);

export const guid = written(
  GUID,
  'id in the form of a GUID in lower case',
  '8a1f2c3d-4b5e-4f60-9a7b-0c1d2e3f4a5b',
  (text) => asGuid(text) ?? '8a1f2c3d-4b5e-4f60-9a7b-0c1d2e3f4a5b',
);

/** A name, or a prefix with one `*` at the end. Never a regular expression. */
export const pattern = written(
  /^(\*|[a-z0-9-]+\*?)$/,
  'name of a resource, nor a beginning of names with one * at its end',
  'speech-*',
);

export const timeOfDay = written(
  /^([01][0-9]|2[0-3]):[0-5][0-9]$/,
  'time of day HH:MM in UTC',
  '08:00',
  (text) => {
    const padded = text.padStart(5, '0');
    return /^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(padded) ? padded : '08:00';
  },
);

/** An address that may have a path, such as that of a key set. */
export const httpsUrl = z
  .string()
  .superRefine((text, context) => {
    const problem = urlProblem(text, 'https://idp.contoso.com/keys');
    if (problem !== undefined) context.addIssue(problem);
  })
  .meta({ format: 'uri', examples: ['https://idp.contoso.com/keys'] });

/** The address of a host: https and no path. */
export const httpsHost = (example: string) =>
  z
    .string()
    .superRefine((text, context) => {
      const problem = urlProblem(text, example) ?? pathProblem(new URL(text));
      if (problem !== undefined) context.addIssue(problem);
    })
    .meta({ format: 'uri', pattern: '^https://[^/?#@]+/?$', examples: [example] });

function urlProblem(text: string, example: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') {
    const host = text.replace(/^[a-z]+:\/\//i, '');
    const meant = host.includes('.') && URL.canParse(`https://${host}`) ? `https://${host}` : example;
    return `${quoted(text)} is no https address, for example ${JSON.stringify(meant)}`;
  }
  const { username, password, search, hash } = url;
  return `${username}${password}${search}${hash}` === ''
    ? undefined
    : 'an address here has no user, no query and no fragment';
}

function pathProblem({ pathname, origin }: URL): string | undefined {
  if (pathname === '/') return undefined;
  const sts = /\/sts\//i.test(pathname) ? ' (the broker adds the path of the key exchange itself)' : '';
  return `has the path ${quoted(pathname)}; write the host alone, ${JSON.stringify(origin)}${sts}`;
}
