/** The sample policy, bent, and the problems that loading finds in it. */
import assert from 'node:assert/strict';
import { loadPolicy, PolicyError } from '../../src/policy/load.ts';
import { samplePolicy } from './sample.ts';

export type Sample = ReturnType<typeof samplePolicy>;
export const [SPEECH, CHAT, VISION] = [0, 1, 2];

export function problemsOf(bend: (policy: Sample) => void): readonly string[] {
  const policy = samplePolicy();
  bend(policy);
  return problemsOfText(JSON.stringify(policy));
}
export function problemsOfText(text: string): readonly string[] {
  try {
    loadPolicy(text);
    return [];
  } catch (error) {
    assert.ok(error instanceof PolicyError);
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
}
export const resource = (policy: Sample, index: number): Record<string, unknown> =>
  policy.resources[index] ?? {};
export const grant = (policy: Sample, index: number): Record<string, unknown> => policy.grants[index] ?? {};
