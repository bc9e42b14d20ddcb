/** Tries whether an account's data plane accepts a key: by a key exchange, or by a cheap read where there is none. */
import { KEYS_SWITCHED_OFF } from '../facts/sts.ts';
import type { Resource } from '../policy/schema.ts';
import type { Sts } from '../ports.ts';
import type { KeyProof } from '../rotation/ports.ts';
import type { Secret } from '../secret.ts';
import { ACTS_AS } from '../token-kind.ts';
import { call } from './call.ts';
import { errorCode, failed, fetchText } from './fetch.ts';

/** Accounts that exchange keys (learn.microsoft.com/azure/ai-services/authentication). */
const WITH_STS = new Set(['SpeechServices', 'TextTranslation', 'CognitiveServices']);
/**
 * For each other kind, a GET that needs a key, costs nothing and changes nothing. Language: ListProjects
 * (learn.microsoft.com/rest/api/language/conversational-analysis-authoring/list-projects), which regions without
 * conversational language understanding may lack; Content Safety: the text blocklists
 * (learn.microsoft.com/azure/ai-services/content-safety/how-to/use-blocklist).
 */
const READS: Readonly<Record<string, string>> = {
  OpenAI: '/openai/models?api-version=2024-10-21',
  AIServices: '/openai/models?api-version=2024-10-21',
  FormRecognizer: '/documentintelligence/info?api-version=2024-11-30',
  ComputerVision: '/vision/v3.2/models',
  TextAnalytics: '/language/authoring/analyze-conversations/projects?api-version=2023-04-01',
  ContentSafety: '/contentsafety/text/blocklists?api-version=2024-09-01',
};

export function createKeyProof(sts: Sts): KeyProof {
  return {
    covers: (resource) => hasSts(resource) || READS[resource.kind] !== undefined,
    accepts: async (resource, key) => {
      const path = READS[resource.kind];
      if (!hasSts(resource)) return path !== undefined && accepted(`${resource.endpoint}${path}`, key);
      // A custom-subdomain host and a regional host are different gateways, and callers use both.
      for (const host of [resource.endpoint, resource.regionalEndpoint]) {
        if (host !== undefined && (await sts.issue(host, key)) === 'keyRefused') return false;
      }
      return true;
    },
  };
}

function hasSts({ kind, tokenKinds }: Resource): boolean {
  return WITH_STS.has(kind) || tokenKinds.some((kind) => ACTS_AS[kind] === 'accountKey');
}

/**
 * 401, and 403 with the code of switched-off keys, mean that the key cannot be used. Other failures say nothing about
 * the key, so they are thrown.
 */
function accepted(url: string, key: Secret): Promise<boolean> {
  return call('ai', 'prove key', async (signal) => {
    const headers = { 'api-key': key.reveal(), 'ocp-apim-subscription-key': key.reveal() };
    const answer = await fetchText('ai', url, { headers, signal });
    if (answer.status === 200) return true;
    if (answer.status === 401) return false;
    if (answer.status === 403 && errorCode(answer) === KEYS_SWITCHED_OFF) return false;
    throw failed('ai', answer);
  });
}
