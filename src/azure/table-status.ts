/** For `.catch` on a conditional write: with these statuses somebody else wrote first, and the result is undefined. */
export const unless =
  (...statuses: readonly number[]) =>
  (error: { statusCode?: number }): undefined => {
    if (statuses.includes(error.statusCode ?? 0)) return undefined;
    throw error;
  };

/** 404 with this code means that the row is missing. With another code the table is missing, which is an outage. */
export function isNoSuchEntity(error: unknown): boolean {
  const { statusCode, code, details } = error as {
    statusCode?: number;
    code?: string;
    details?: { odataError?: { code?: string } };
  };
  return statusCode === 404 && [code, details?.odataError?.code].includes('ResourceNotFound');
}
