/**
 * Warns of names of Azure and of the app registration that are not known here. They may be right: Azure adds kinds of
 * accounts, and a registration may have more app roles than ours.
 */
import { ACCOUNT_KINDS } from '../facts/account-kinds.ts';
import { placed } from './draft.ts';
import { didYouMean } from './nearest.ts';
import { APP_ROLES, isForApplications, SCOPES } from './registration.ts';
import type { CallerRule, Policy } from './schema.ts';

export function unknownNames({ resources, grants }: Policy): string[] {
  return [
    ...placed('resources', resources).flatMap(({ place, entry: { kind } }) =>
      unknown(`${place}.kind`, kind, ACCOUNT_KINDS, 'no kind of account that is known here'),
    ),
    ...placed('grants', grants).flatMap(({ place, entry }) =>
      entry.callers.flatMap((caller, index) => ofCaller(`${place}.callers[${index}]`, caller)),
    ),
  ];
}

function ofCaller(path: string, { appRole, scope }: CallerRule): string[] {
  const REGISTRATION = 'that infra/app-registration.sh makes';
  return [
    ...unknown(`${path}.appRole`, appRole, [...APP_ROLES.keys()], `no app role ${REGISTRATION}`),
    ...unknown(`${path}.scope`, scope, SCOPES, `no scope ${REGISTRATION}`),
    ...(isForApplications(appRole) && scope !== undefined
      ? [
          `${path}: matches nobody: only applications have the app role ${appRole}, and only people's tokens have scopes; make two rules of it`,
        ]
      : []),
  ];
}

function unknown(path: string, name: string | undefined, known: readonly string[], what: string): string[] {
  if (name === undefined || known.includes(name)) return [];
  return [`${path}: "${name}" is ${what}${didYouMean(name, known, `: ${known.join(', ')}`)}`];
}
