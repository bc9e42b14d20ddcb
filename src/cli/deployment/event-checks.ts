/** Events on their way in: topics and their subscriptions, and what was given up. */
import { type Check, checksOf, type Finding, judged, type Looked, skip } from './check.ts';
import type { Evidence, Topic } from './evidence.ts';

interface Route {
  readonly topic: Topic['kind'];
  readonly name: string;
  /** How the ARM id of what it delivers to ends. */
  readonly to: 'function react' | 'queue events';
}
const AGAIN = 'azd hooks run postdeploy makes it again (infra/subscriptions.bicep).';

export function eventChecks({ topics, poison, prefix }: Evidence): readonly Check[] {
  return [
    ...('seen' in topics
      ? [
          ...checksOf(
            'events',
            topicFindings(topics.seen, routesOf(prefix)),
            `${topics.seen.length} topics deliver`,
          ),
          ...topics.seen.flatMap(({ name, subscriptions }) => unseen(`events`, subscriptions, name)),
          ...deadLetterChecks(topics.seen),
        ]
      : [skip('events', topics.unseen)]),
    ...judged(
      'poison',
      poison,
      (count) =>
        count === 0
          ? []
          : [
              {
                says: `${count} messages of the last seven days could not be used`,
                todo: 'azure-ai-token-broker events tells of each why. Runbook: the other alerts.',
              },
            ],
      'every message of the last seven days could be used',
    ),
  ];
}

const routesOf = (prefix: string): readonly Route[] => [
  { topic: 'own', name: 'issuer', to: 'function react' },
  { topic: 'own', name: 'rotator', to: 'queue events' },
  { topic: 'vault', name: 'rotator', to: 'queue events' },
  { topic: 'activity', name: prefix, to: 'queue events' },
];

/** The topic of the subscription may be in another group, and may not be wanted at all. */
function topicFindings(topics: readonly Topic[], routes: readonly Route[]): readonly Finding[] {
  const missing = (['own', 'vault'] as const)
    .filter((kind) => !topics.some((topic) => topic.kind === kind))
    .map((kind) => ({
      says: `the topic of ${kind === 'own' ? "the broker's own events" : 'the vault'} is missing`,
      todo: 'azd provision',
    }));
  return [...missing, ...topics.flatMap((topic) => findingsOf(topic, routes))];
}

function findingsOf(topic: Topic, routes: readonly Route[]): readonly Finding[] {
  const { name, kind, properties, subscriptions } = topic;
  const isBroken = properties.provisioningState !== 'Succeeded';
  const hasKeys = kind === 'own' && properties.disableLocalAuth !== true;
  const findings: Finding[] = [
    ...(isBroken
      ? [{ says: `the topic ${name} is ${properties.provisioningState}`, todo: 'azd provision' }]
      : []),
    ...(hasKeys
      ? [
          {
            says: `whoever has an access key of the topic ${name} may publish revocations`,
            todo: 'azd provision',
          },
        ]
      : []),
  ];
  if ('unseen' in subscriptions) return findings;
  for (const route of routes.filter(({ topic: of }) => of === kind)) {
    const found = subscriptions.seen.find((each) => each.name === route.name);
    const where = `the event subscription ${route.name} of ${name}`;
    const state = found?.properties.provisioningState;
    if (found === undefined) findings.push({ says: `${where} is missing`, todo: AGAIN });
    else if (state !== 'Succeeded') findings.push({ says: `${where} is ${state}`, todo: AGAIN });
    else if (!deliversTo(found, route.to))
      findings.push({ says: `${where} does not deliver to the ${route.to}`, todo: AGAIN });
  }
  return findings;
}

type Subscription = Extract<Topic['subscriptions'], { seen: unknown }>['seen'][number];

function deliversTo({ properties }: Subscription, to: Route['to']): boolean {
  const target = properties.deliveryWithResourceIdentity?.destination ?? properties.destination;
  if (to === 'queue events')
    return target?.endpointType === 'StorageQueue' && target.properties?.queueName === 'events';
  return (
    target?.endpointType === 'AzureFunction' &&
    target.properties?.resourceId?.toLowerCase().endsWith('/functions/react') === true
  );
}

function deadLetterChecks(topics: readonly Topic[]): readonly Check[] {
  const lost = topics.flatMap(({ name, deadLetters }) =>
    'seen' in deadLetters && deadLetters.seen > 0
      ? [
          {
            says: `${deadLetters.seen} events of ${name} were given up in the last seven days`,
            todo: 'They lie in the container dead-letters. Runbook: the other alerts.',
          },
        ]
      : [],
  );
  return [
    ...checksOf('dead letters', lost, 'none in the last seven days'),
    ...topics.flatMap(({ name, deadLetters }) => unseen('dead letters', deadLetters, name)),
  ];
}

const unseen = (check: string, looked: Looked<unknown>, name: string): readonly Check[] =>
  'unseen' in looked ? [skip(check, `${name}: ${looked.unseen}`)] : [];
