/** What a deployment's evidence means. Pure. */
import { alertChecks } from './alert-checks.ts';
import { appChecks } from './app-checks.ts';
import type { Check } from './check.ts';
import { eventChecks } from './event-checks.ts';
import type { Evidence } from './evidence.ts';
import { permissionChecks } from './permission-checks.ts';
import { policyChecks } from './policy-checks.ts';
import { registrationChecks } from './registration-checks.ts';
import { resourceChecks } from './resource-checks.ts';
import { settingsChecks } from './settings-checks.ts';

export const judge = (evidence: Evidence): readonly Check[] =>
  [
    resourceChecks,
    settingsChecks,
    appChecks,
    permissionChecks,
    registrationChecks,
    policyChecks,
    eventChecks,
    alertChecks,
  ].flatMap((check) => check(evidence));
