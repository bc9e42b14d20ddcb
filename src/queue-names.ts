/** The queues between the two apps, in the broker's storage account. The deployment and the local mode make them. */
export const QUEUE_NAMES = ['events', 'demands'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** Where the host puts a message that failed too often. */
export const poisonOf = (queue: QueueName): string => `${queue}-poison`;
