/** The settings of an app (settings.ts), parsed once. All problems are reported together, and then it does not start. */
import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import {
  type AppName,
  type Environment,
  INITIAL_ROTATION_SCHEDULE,
  issuerSettings,
  readSettings,
  rotatorSettings,
} from './settings.ts';

/**
 * The schedule of the rotation timer. The trigger is registered before all settings are read, and an exception there
 * would leave the app without any function. So a wrong schedule does not throw here; `readRotatorConfig` reports it.
 */
export function readRotationSchedule(environment: Environment): string {
  const schedule = rotatorSettings.shape.BROKER_ROTATION_SCHEDULE.catch(INITIAL_ROTATION_SCHEDULE);
  return schedule.parse(environment['BROKER_ROTATION_SCHEDULE']);
}

export type IssuerConfig = z.infer<typeof issuerSettings>;
export type RotatorConfig = z.infer<typeof rotatorSettings>;

/** The settings are not valid. The message lists every problem with the setting's name, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError naming every wrong or missing setting, and every one of the rotator's. */
export function readIssuerConfig(environment: Environment): IssuerConfig {
  return read(issuerSettings, { of: 'rotator', settings: rotatorSettings }, environment);
}

/** @throws ConfigError naming every wrong or missing setting, and every one of the issuer's. */
export function readRotatorConfig(environment: Environment): RotatorConfig {
  return read(rotatorSettings, { of: 'issuer', settings: issuerSettings }, environment);
}

function read<Settings extends z.ZodObject>(
  own: Settings,
  other: { readonly of: AppName; readonly settings: z.ZodObject },
  environment: Environment,
): z.infer<Settings> {
  const read = readSettings(own, other, environment);
  if ('problems' in read) throw new ConfigError(`wrong settings:\n${read.problems.join('\n')}`);
  return read.settings;
}

/** @throws ConfigError where the file cannot be read. */
export function readPolicyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new ConfigError(`BROKER_POLICY: ${file} cannot be read (${code})`);
  }
}
