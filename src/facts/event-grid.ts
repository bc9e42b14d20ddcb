/**
 * Event Grid tries to deliver an event for 24 hours.
 * Source: learn.microsoft.com/azure/event-grid/delivery-and-retry
 */
export const REDELIVERS_FOR_MS = 24 * 3_600_000;
