/** For `.catch` on a table call: these statuses are answers here, given as undefined, and no errors. */
export const unless =
  (...statuses: readonly number[]) =>
  (error: { statusCode?: number }): undefined => {
    if (statuses.includes(error.statusCode ?? 0)) return undefined;
    throw error;
  };
