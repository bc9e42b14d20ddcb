/**
 * A policy file for programs that make trials of rotations: accounts with key-exchange tokens, whose rotations are
 * due in the period that is asked for. The local mode makes a caller for each grant, with the grant's name.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tenantId } from '../../src/local/simulated/demo-directory.ts';

export interface TrialAccount {
  readonly name: string;
  readonly kind: 'SpeechServices' | 'TextTranslation';
  /** Whose caller may have tokens for it. */
  readonly grant: string;
}

/** No rotation is due by itself before the end of all trials. */
const LONG = '90d';

export function writeTrialPolicy(
  accounts: readonly TrialAccount[],
  madeAtMs: number,
  period = LONG,
): { readonly file: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'trial-policy-'));
  const file = join(folder, 'policy.json');
  const grants = [...new Set(accounts.map(({ grant }) => grant))];
  const policy = {
    tenants: [{ name: 'home', id: tenantId }],
    resources: accounts.map(({ name, kind }, index) => ({
      name,
      // Each in a subscription of its own: the rotator asks Azure Resource Manager at a limited rate in each.
      accountId: `/subscriptions/5b0c7f3e-81d4-4a69-b2e7-${String(index).padStart(12, '0')}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/ai-${name}`,
      kind,
      region: 'westeurope',
      endpoint: `https://ai-${name}.cognitiveservices.azure.com`,
      regionalEndpoint: `https://${name}.westeurope.api.cognitive.microsoft.com`,
      tokenKinds: ['sts'],
      secret: `${name}-key`,
      rotation: { period, keysSince: new Date(madeAtMs).toISOString() },
    })),
    grants: grants.map((grant, index) => ({
      name: grant,
      callers: [{ tenant: 'home', clientId: `40000000-0000-4000-8000-00000000000${index + 1}` }],
      resources: accounts.filter((account) => account.grant === grant).map(({ name }) => name),
      tokenKinds: ['sts'],
      maxLifetime: '10m',
      rate: { count: 600_000, per: '1m' },
    })),
  };
  writeFileSync(file, JSON.stringify(policy));
  return { file, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
