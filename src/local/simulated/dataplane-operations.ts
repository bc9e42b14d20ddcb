/** What the simulated AI accounts can do, by kind: a call or two of each, in the real service's wire form. */
import * as z from 'zod';
import { chatCompletions, models } from './dataplane-openai.ts';
import type { Operation } from './dataplane-operation.ts';
import { speech } from './dataplane-speech.ts';
import { translation } from './dataplane-translator.ts';
import { json } from './json.ts';
import type { Call, Outcome } from './service.ts';

const actions = 'Microsoft.CognitiveServices/accounts';

/** Speech has one path on the region's host and another on the account's own; both are served on both. */
const single = {
  SpeechServices: [...speech(''), ...speech('/tts')],
  TextTranslation: [translation(''), translation('/translator/text/v3.0')],
  OpenAI: [
    chatCompletions('/openai/v1'),
    chatCompletions('/openai/deployments/{}'),
    models('/openai/v1'),
    models('/openai'),
  ],
  ComputerVision: [
    {
      name: 'listModels',
      method: 'GET',
      route: '/vision/v3.2/models',
      dataAction: `${actions}/ComputerVision/models/read`,
      answer: () => ({ status: 200, body: { models: [] } }),
    },
    {
      name: 'analyzeImage',
      method: 'POST',
      route: '/computervision/imageanalysis:analyze',
      dataAction: `${actions}/ComputerVision/imageanalysis:analyze/action`,
      answer: () => ({
        status: 200,
        body: {
          modelVersion: '2023-10-01',
          captionResult: { text: 'a simulated image', confidence: 0.9 },
          metadata: { width: 640, height: 480 },
        },
      }),
    },
  ],
  TextAnalytics: [
    {
      name: 'listProjects',
      method: 'GET',
      route: '/language/authoring/analyze-conversations/projects',
      dataAction: `${actions}/Language/analyze-conversations/projects/read`,
      answer: () => ({ status: 200, body: { value: [] } }),
    },
    {
      name: 'analyzeText',
      method: 'POST',
      route: '/language/:analyze-text',
      dataAction: `${actions}/Language/analyze-text/action`,
      answer: analyzeText,
    },
  ],
  FormRecognizer: [
    {
      name: 'getDocumentModels',
      method: 'GET',
      route: '/documentintelligence/info',
      dataAction: `${actions}/FormRecognizer/documentintelligence/info/read`,
      answer: () => ({ status: 200, body: { customDocumentModels: { count: 0, limit: 20_000 } } }),
    },
  ],
  ContentSafety: [
    {
      name: 'listTextBlocklists',
      method: 'GET',
      route: '/contentsafety/text/blocklists',
      dataAction: `${actions}/ContentSafety/text/blocklists/read`,
      answer: () => ({ status: 200, body: { value: [] } }),
    },
  ],
} satisfies Readonly<Record<string, readonly Operation[]>>;

const operations: Readonly<Record<string, readonly Operation[]>> = {
  ...single,
  // One account with the services of many. Its path says which one is meant.
  AIServices: Object.values(single).flat(),
};

/** The operation behind a call, or `undefined` where this kind of account has none. */
export function findOperation(kind: string, method: string, path: string): Operation | undefined {
  return operations[kind]?.find((one) => one.method === method && isRoute(one.route, path));
}

function isRoute(route: string, path: string): boolean {
  const [wanted, given] = [route.split('/'), path.replace(/\/$/, '').split('/')];
  return wanted.length === given.length && wanted.every((part, i) => part === '{}' || part === given[i]);
}

const analysis = z.object({
  kind: z.string(),
  analysisInput: z.object({ documents: z.array(z.object({ id: z.string(), text: z.string() })).min(1) }),
});

/** https://learn.microsoft.com/rest/api/language: every text is found to be English. */
function analyzeText(call: Call): Outcome {
  const parsed = analysis.safeParse(json(call.body));
  if (!parsed.success || parsed.data.kind !== 'LanguageDetection') {
    return { status: 400, body: { error: { code: 'InvalidRequest', message: 'Invalid request.' } } };
  }
  const documents = parsed.data.analysisInput.documents.map(({ id }) => ({
    id,
    detectedLanguage: { name: 'English', iso6391Name: 'en', confidenceScore: 1 },
    warnings: [],
  }));
  return {
    status: 200,
    body: {
      kind: 'LanguageDetectionResults',
      results: { documents, errors: [], modelVersion: '2024-11-01' },
    },
  };
}
