/**
 * Facts about Azure Resource Manager: the writes that one identity may start in a subscription, as a bucket of
 * tokens. `listKeys` is a POST and counts as one.
 * Source: learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
 */
export const MAX_WRITES_AT_ONCE = 200;
export const MAX_WRITES_PER_SECOND = 10;
