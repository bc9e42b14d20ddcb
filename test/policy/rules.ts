import { compilePolicy } from '../../src/policy/match.ts';
import type { Policy } from '../../src/policy/schema.ts';
import { compact, type PolicyVersion, versionOf } from '../../src/policy/version.ts';

/** A policy in force, made from a policy that is loaded already. */
export const inForce = (policy: Policy): PolicyVersion => ({
  version: versionOf(compact(policy)),
  source: policy,
  policy,
  compiled: compilePolicy(policy),
});
