/** The C# example, built where .NET and its one package are on the machine: the network is off. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const source = join(import.meta.dirname, 'csharp');
const packages = process.env['NUGET_PACKAGES'] ?? join(homedir(), '.nuget/packages');

/** Why it cannot be built here; `undefined` where it can. */
export async function whyNoCsharp(): Promise<string | undefined> {
  const version = await execute('dotnet', ['--version']).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
  if (version === undefined) return 'the .NET SDK is not on this machine';
  if (Number(version.split('.')[0]) < 10) return `it needs the .NET SDK 10, and here is ${version.trim()}`;
  return existsSync(join(packages, 'azure.identity/1.21.0'))
    ? undefined
    : 'Azure.Identity is not on this machine: dotnet restore test/examples/csharp brings it';
}

/** @returns the program's file, for `dotnet` */
export async function buildCsharp(folder: string): Promise<string> {
  const work = join(folder, 'csharp');
  const nothing = join(folder, 'no-source');
  mkdirSync(nothing, { recursive: true });
  cpSync(source, work, { recursive: true });
  const out = join(folder, 'csharp-built');
  // No process of the compiler stays behind, and nothing is asked of a registry.
  const options = ['-nodeReuse:false', '-p:UseSharedCompilation=false', `-p:RestoreSources=${nothing}`];
  await execute('dotnet', ['build', work, '-o', out, '-v', 'quiet', '-nologo', ...options], {
    env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
  }).catch(({ stdout }) => {
    throw new Error(stdout);
  });
  return join(out, 'Chat.dll');
}
