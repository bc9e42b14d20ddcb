/** The Event Grid topics of a resource group, their subscriptions, and how many events they gave up. */
import type { AzureReader } from './azure-reader.ts';
import type { Looked } from './check.ts';
import type { Topic } from './evidence.ts';
import { ofType, type Resource } from './find-apps.ts';
import { eventSubscription, metrics, topic } from './shapes.ts';

const VERSION = 'api-version=2025-02-15';
const DAYS = 7;
export const SINCE_MS = DAYS * 86_400_000;
const KINDS = {
  'microsoft.keyvault.vaults': 'vault',
  'microsoft.resources.subscriptions': 'activity',
} as const;

export async function lookAtTopics(
  arm: AzureReader,
  resources: readonly Resource[],
  nowMs: number,
): Promise<Looked<readonly Topic[]>> {
  const all = [
    ...ofType(resources, 'Microsoft.EventGrid/topics'),
    ...ofType(resources, 'Microsoft.EventGrid/systemTopics'),
  ];
  const topics: Topic[] = [];
  for (const { id, name } of all) {
    const looked = await arm.get(`the topic ${name}`, `${id}?${VERSION}`, topic);
    if ('unseen' in looked) return looked;
    const { topicType } = looked.seen.properties;
    const kind = topicType ? KINDS[topicType.toLowerCase() as keyof typeof KINDS] : 'own';
    // A topic of something else in the group is none of ours.
    if (kind === undefined) continue;
    const [subscriptions, deadLetters] = await Promise.all([
      arm.list('its subscriptions', `${id}/eventSubscriptions?${VERSION}`, eventSubscription),
      deadLettersOf(arm, id, nowMs),
    ]);
    topics.push({ ...looked.seen, kind, subscriptions, deadLetters });
  }
  return { seen: topics };
}

async function deadLettersOf(arm: AzureReader, id: string, nowMs: number): Promise<Looked<number>> {
  const timespan = [nowMs - SINCE_MS, nowMs].map((ms) => new Date(ms).toISOString()).join('/');
  const query = `api-version=2023-10-01&metricnames=DeadLetteredCount&aggregation=Total&interval=P1D&timespan=${timespan}`;
  const looked = await arm.get(
    'its dead letters',
    `${id}/providers/Microsoft.Insights/metrics?${query}`,
    metrics,
  );
  if ('unseen' in looked) return looked;
  const points = looked.seen.value.flatMap(({ timeseries }) => timeseries.flatMap(({ data }) => data));
  return { seen: points.reduce((sum, { total }) => sum + (total ?? 0), 0) };
}
