/** A chat with Azure OpenAI: the `openai` package, with the broker's credential in place of a key. */
import { EnvironmentCredential, getBearerTokenProvider } from '@azure/identity';
import { BrokerCredential, fromCredential } from 'azure-ai-token-broker/client';
import OpenAI from 'openai';

const { BROKER, BROKER_SCOPE, ENDPOINT } = process.env;
// In Azure: new DefaultAzureCredential(). The option is for the local mode alone, whose Entra Microsoft does not list.
const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
const credential = new BrokerCredential({
  issuer: BROKER,
  resource: 'chat',
  getCallerToken: fromCredential(own, BROKER_SCOPE),
});
const openai = new OpenAI({
  baseURL: `${ENDPOINT}/openai/v1`,
  apiKey: getBearerTokenProvider(credential, 'https://cognitiveservices.azure.com/.default'),
});
const { choices } = await openai.chat.completions.create({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(choices[0].message.content);
