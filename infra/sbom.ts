import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
}

/**
 * The software bill of materials of the bundle: the packages whose code is really in it, with the versions and
 * hashes of the lock file. CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/
 * @param lockFile path of package-lock.json
 * @param inputs the bundled files, as esbuild's metafile names them
 */
export function sbom(lockFile: string, inputs: readonly string[]): Record<string, unknown> {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    name: string;
    version: string;
    packages: Record<string, LockedPackage>;
  };
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  // One version may lie in several folders; the format forbids to name a component twice.
  const components = new Map(
    [...folders]
      .sort()
      .map((folder) => component(folder, lock.packages[folder] ?? {}))
      .map((one) => [one['purl'], one]),
  );
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: lock.name, version: lock.version } },
    components: [...components.values()],
  };
}

/** `node_modules/a/node_modules/@b/c/dist/x.js` belongs to `node_modules/a/node_modules/@b/c`. */
function packageFolder(input: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

function component(folder: string, locked: LockedPackage): Record<string, unknown> {
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const [algorithm, hash] = locked.integrity?.split('-') ?? [];
  return {
    type: 'library',
    name,
    version: locked.version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${locked.version}`,
    ...(locked.license && { licenses: [{ expression: locked.license }] }),
    ...(algorithm === 'sha512' &&
      hash && { hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }] }),
  };
}
