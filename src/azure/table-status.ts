/** For `.catch` on a conditional write: these statuses say that somebody else was first. Undefined, no error. */
export const unless =
  (...statuses: readonly number[]) =>
  (error: { statusCode?: number }): undefined => {
    if (statuses.includes(error.statusCode ?? 0)) return undefined;
    throw error;
  };
