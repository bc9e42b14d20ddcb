/** An instant as tables, logs and answers have it: RFC 3339 in UTC, such as `2026-11-22T08:00:00.000Z`. */
export const iso = (ms: number): string => new Date(ms).toISOString();
