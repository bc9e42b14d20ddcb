/** For `.catch` on a conditional write: these statuses say that somebody else was first. Undefined, no error. */
export const unless =
  (...statuses: readonly number[]) =>
  (error: { statusCode?: number }): undefined => {
    if (statuses.includes(error.statusCode ?? 0)) return undefined;
    throw error;
  };

/** 404 with this code: the row is not there. Without it the table is not there, and that is an outage. */
export function isNoSuchEntity(error: unknown): boolean {
  const { statusCode, code, details } = error as {
    statusCode?: number;
    code?: string;
    details?: { odataError?: { code?: string } };
  };
  return statusCode === 404 && [code, details?.odataError?.code].includes('ResourceNotFound');
}
