/** Translator by plain REST. */
import { EnvironmentCredential } from '@azure/identity';
import { brokerToken, fetchWithBroker, fromCredential } from 'azure-ai-token-broker/client';

const { BROKER, BROKER_SCOPE } = process.env;
// In Azure: new DefaultAzureCredential(). The option is for the local mode alone, whose Entra Microsoft does not list.
const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
const translator = fetchWithBroker(
  brokerToken({ issuer: BROKER, resource: 'translator', getCallerToken: fromCredential(own, BROKER_SCOPE) }),
);
const answer = await translator('/translator/text/v3.0/translate?to=de', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify([{ Text: 'Hello' }]),
});
console.log((await answer.json())[0].translations[0].text);
