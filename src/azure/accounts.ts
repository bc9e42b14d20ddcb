/**
 * The keys of Azure AI accounts, through Azure Resource Manager. For two calls its SDK is not worth its loading time.
 * https://learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts
 */
import * as z from 'zod';
import type { AccountKeys, AccountRefusal, Accounts } from '../ports.ts';
import { Secret } from '../secret.ts';
import { type CallLimits, call } from './call.ts';
import { type Answer, failed, fetchText, parseJson } from './fetch.ts';

/** The key operations are the same since version 2017-04-18. This version exists in the sovereign clouds too. */
const API_VERSION = '2025-06-01';
/** ARM is slower than a data plane. A regenerate has the longer deadline: after a timeout its outcome is unknown. */
const LIST_DEADLINE_MS = 8_000;
const REGENERATE_DEADLINE_MS = 30_000;

const keysShape = z.object({ key1: z.string().min(1), key2: z.string().min(1) });
const errorShape = z.object({ error: z.object({ code: z.string(), message: z.string().default('') }) });

/** @param token an access token of the rotator identity for Azure Resource Manager */
export function createAccounts(armUrl: string, token: () => Promise<string>): Accounts {
  const post = (
    accountId: string,
    operation: 'listKeys' | 'regenerateKey',
    limits: CallLimits,
    body?: object,
  ) =>
    call(
      'arm',
      operation,
      async (signal) => {
        const answer = await fetchText(
          'arm',
          `${armUrl}${accountId}/${operation}?api-version=${API_VERSION}`,
          {
            method: 'POST',
            headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
            signal,
          },
        );
        return answer.status === 200 ? keys(answer.text) : refusal(answer);
      },
      limits,
    );
  return {
    listKeys: (accountId) => post(accountId, 'listKeys', { deadlineMs: LIST_DEADLINE_MS }),
    // One attempt only: a second call after a lost answer would make another key. ARM takes `Key1`, not `key1`.
    regenerate: (accountId, keyName) =>
      post(accountId, 'regenerateKey', { deadlineMs: REGENERATE_DEADLINE_MS, attempts: 1 }, { keyName }),
  };
}

function keys(text: string): AccountKeys {
  const { key1, key2 } = parseJson('arm', text, keysShape);
  return { Key1: new Secret(key1), Key2: new Secret(key2) };
}

/** @throws UpstreamFailure for every answer that does not describe a state of the account */
function refusal(answer: Answer): AccountRefusal {
  const { error } = parseErrors(answer.text);
  if (answer.status === 403 && error.code === 'AuthorizationFailed') return 'forbidden';
  if (answer.status === 404 && error.code.endsWith('NotFound')) return 'notFound';
  // ARM gives no code of its own for this: BadRequest, "Failed to list key. disableLocalAuth is set to be true".
  if (answer.status === 400 && error.message.includes('disableLocalAuth')) return 'localAuthDisabled';
  throw failed('arm', answer);
}

function parseErrors(text: string): z.infer<typeof errorShape> {
  try {
    return errorShape.parse(JSON.parse(text));
  } catch {
    return { error: { code: '', message: '' } };
  }
}
