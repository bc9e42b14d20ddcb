/** What must be there once in a policy, such as a name, and is there twice. */
import { type Draft, placed } from './draft.ts';
import type { Policy } from './schema.ts';

/** @returns one problem for each second one, with both places */
export function duplicates(policy: Draft<Policy>): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  const check = (what: string, value: string | undefined, path: string, shown = value): void => {
    if (value === undefined) return;
    const first = seen.get(`${what} ${value}`);
    if (first === undefined) seen.set(`${what} ${value}`, path);
    else problems.push(`${path}: ${shown} is already at ${first}`);
  };
  for (const { place, entry } of placed('tenants', policy.tenants)) {
    check('tenant', entry.name, `${place}.name`);
    check('tenant id', entry.id, `${place}.id`);
  }
  const resources = placed('resources', policy.resources);
  for (const { place, entry } of resources) {
    check('resource', entry.name, `${place}.name`);
    check('account', entry.accountId?.toLowerCase(), `${place}.accountId`, entry.accountId);
    check('endpoint', origin(entry.endpoint), `${place}.endpoint`);
    check('secret', entry.secret?.toLowerCase(), `${place}.secret`, entry.secret);
  }
  const owners = Map.groupBy(resources, ({ entry }) => origin(entry.endpoint));
  // Several accounts may have the same regional host, but it must not be another account's own host.
  for (const { place, entry } of resources) {
    const regional = origin(entry.regionalEndpoint);
    if (regional === undefined) continue;
    const own = owners.get(regional)?.find((other) => other.entry !== entry);
    if (own) problems.push(`${place}.regionalEndpoint: ${regional} is already at ${own.place}.endpoint`);
  }
  for (const { place, entry } of placed('grants', policy.grants)) check('grant', entry.name, `${place}.name`);
  for (const { place, entry } of placed('transmitters', policy.transmitters))
    check('transmitter', entry.issuer, `${place}.issuer`);
  return problems;
}

const origin = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : new URL(url).origin;
