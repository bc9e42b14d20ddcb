/** https://learn.microsoft.com/azure/ai-services/translator/text-translation/reference/v3/translate */
import * as z from 'zod';
import type { Operation } from './dataplane-operation.ts';
import { json } from './json.ts';
import type { Call, Outcome } from './service.ts';

/** `prefix`: none on the region's host, the long one on the account's own. */
export const translation = (prefix: string): Operation => ({
  name: 'translate',
  method: 'POST',
  route: `${prefix}/translate`,
  dataAction: 'Microsoft.CognitiveServices/accounts/TextTranslation/translate/action',
  answer: translate,
});

/** From 2025 on the texts and their targets are in the body. */
const inputs = z.object({
  inputs: z
    .array(z.object({ text: z.string(), targets: z.array(z.object({ language: z.string() })).min(1) }))
    .min(1),
});
const texts = z.array(z.object({ Text: z.string() }).or(z.object({ text: z.string() }))).min(1);

function translate(call: Call): Outcome {
  const query = call.url.searchParams;
  if (query.get('api-version') === null && !call.url.pathname.includes('/v3.0/')) {
    return translatorError(400021, 'The API version parameter is missing.');
  }
  if (/^20\d\d-/.test(query.get('api-version') ?? '')) return translateInputs(call);
  const targets = query.getAll('to');
  if (targets.length === 0) return translatorError(400036, 'The target language is not valid.');
  const parsed = texts.safeParse(json(call.body));
  if (!parsed.success) return translatorError(400074, 'The body of the request is not valid JSON.');
  return {
    status: 200,
    body: parsed.data.map((item) => ({
      detectedLanguage: { language: 'en', score: 1 },
      translations: targets.map((to) => ({
        text: `[${to}] ${'Text' in item ? item.Text : item.text}`,
        to,
      })),
    })),
  };
}

function translateInputs(call: Call): Outcome {
  const parsed = inputs.safeParse(json(call.body));
  if (!parsed.success) return translatorError(400074, 'The body of the request is not valid JSON.');
  const value = parsed.data.inputs.map(({ text, targets }) => ({
    detectedLanguage: { language: 'en', score: 1 },
    translations: targets.map(({ language }) => ({ language, text: `[${language}] ${text}` })),
  }));
  return { status: 200, body: { value } };
}

function translatorError(code: number, message: string): Outcome {
  return { status: 400, body: { error: { code, message } } };
}
