/** The effective permissions of the two identities: too few, and too many. */
import type { AppName } from '../../settings.ts';
import { type Check, checksOf, type Finding, type Looked, skip } from './check.ts';
import type { Assignment, Evidence, RoleDefinition } from './evidence.ts';
import { type Expected, expectedOf } from './expected-scopes.ts';
import { beyond, isWithin, lacking, permissionsOf } from './role-cover.ts';

interface Held {
  readonly scope: string;
  readonly role: RoleDefinition;
}

export function permissionChecks(evidence: Evidence): readonly Check[] {
  return (['issuer', 'rotator'] as const).flatMap((app) => {
    const check = `roles of ${app}`;
    const assignments = evidence.assignments[app];
    if ('unseen' in assignments) return [skip(check, assignments.unseen)];
    const expected = expectedOf(app, evidence);
    if ('unseen' in expected) return [skip(check, expected.unseen)];
    const held = assignments.seen.filter(isKnown).map(({ scope, role }) => ({ scope, role: role.seen }));
    // The accounts are named by the policy. Without it nobody can tell which of them the rotator is to have.
    const atAccounts = app === 'issuer' || 'seen' in evidence.rotated;
    const judged = held.filter(({ scope }) => atAccounts || !isAccount(scope));
    const unknown = assignments.seen.length - held.length;
    return [
      ...checksOf(
        check,
        [...tooFew(app, expected.seen, held, unknown > 0), ...tooMany(app, expected.seen, judged)],
        `${held.length} assignments, neither too few nor too many`,
      ),
      ...(unknown === 0 ? [] : [skip(check, `you may not read what ${unknown} of its roles hold`)]),
      ...(atAccounts || 'seen' in evidence.rotated
        ? []
        : [skip(check, `on the AI accounts: ${evidence.rotated.unseen}`)]),
    ];
  });
}

const isKnown = (
  each: Assignment,
): each is Assignment & { role: Extract<Looked<RoleDefinition>, { seen: unknown }> } => 'seen' in each.role;
const isAccount = (scope: string): boolean =>
  scope.toLowerCase().includes('/providers/microsoft.cognitiveservices/accounts/');

function tooFew(
  app: AppName,
  expected: readonly Expected[],
  held: readonly Held[],
  hasUnknown: boolean,
): readonly Finding[] {
  // One that cannot be read may be what is missed.
  if (hasUnknown) return [];
  return expected.flatMap(({ role, roleId, permissions, scope }) => {
    const here = held.filter((each) => isWithin(scope, each.scope));
    if (roleId !== undefined && here.some((each) => each.role.name === roleId)) return [];
    const missing = lacking(
      permissions,
      here.map((each) => each.role),
    );
    if (missing.length === 0) return [];
    return [
      {
        says: `too few: ${app} lacks "${role}" at ${brief(scope)} (${missing.map(brief).slice(0, 2).join(', ')})`,
        todo: 'azd provision gives it again; it works some minutes later.',
      },
    ];
  });
}

function tooMany(app: AppName, expected: readonly Expected[], held: readonly Held[]): readonly Finding[] {
  return held.flatMap(({ scope, role }) => {
    const here = expected.filter((each) => isWithin(scope, each.scope));
    // The role on an account has a half for the vault, which gives nothing there.
    if (here.some(({ roleId }) => roleId !== undefined && role.name === roleId)) return [];
    const permissions = permissionsOf(role);
    const ofUse = isAccount(scope)
      ? { ...permissions, dataActions: permissions.dataActions.filter(isOfAccounts) }
      : permissions;
    const extra = beyond(
      ofUse,
      here.map((each) => each.permissions),
    );
    if (extra.length === 0) return [];
    return [
      {
        says: `too many: ${app} holds "${role.properties.roleName}" at ${brief(scope)} (${extra.map(brief).slice(0, 2).join(', ')})`,
        todo: 'Remove that assignment (az role assignment delete --ids), or the group that brings it.',
      },
    ];
  });
}

const isOfAccounts = (action: string): boolean => !action.toLowerCase().startsWith('microsoft.keyvault/');

/** The end of an ARM id or of a permission's name. */
const brief = (id: string): string => id.split('/').slice(-2).join('/') || id;
