/** The app registration in Entra: its roles, its tokens, whom it trusts, and that it has no secret. */
import { type Check, checksOf, type Finding, seenOr, skip } from './check.ts';
import type { Application, Evidence, FederatedCredential } from './evidence.ts';

const ROLES = ['Token.Exchange', 'Broker.Operator', 'Broker.Auditor', 'Broker.Publisher'];

export function registrationChecks(evidence: Evidence): readonly Check[] {
  const { registration, settings, apps } = evidence;
  if ('unseen' in registration) return [skip('Entra', registration.unseen)];
  const { application, clientId, trusts } = registration.seen;
  const create = `infra/app-registration.sh create NAME ${clientId} sets it again.`;
  const issuerSettings = seenOr(settings.issuer, undefined);
  const issuer = seenOr(apps.issuer, undefined);
  return [
    ...checksOf(
      'Entra',
      [
        ...applicationFindings(application, create),
        ...redirectFindings(application, issuerSettings?.['BROKER_ISSUER']),
      ],
      'roles, token version and redirects are right, and there is no secret',
    ),
    ...('unseen' in trusts
      ? [skip('federation', trusts.unseen)]
      : issuer === undefined
        ? [skip('federation', 'the identity of the issuer app is not known')]
        : checksOf(
            'federation',
            trustFindings(trusts.seen, issuer.principalId, issuerOf(evidence), clientId),
            'the registration trusts the issuer identity, and nobody else',
          )),
  ];
}

/** As in the tokens of managed identities. Undefined where the tenant is not known. */
function issuerOf({ settings, authority }: Evidence): string | undefined {
  const given = seenOr(settings.issuer, undefined);
  const tenant = given?.['BROKER_TENANT_ID'];
  const named = (given?.['BROKER_AUTHORITY'] ?? authority).replace(/\/+$/, '');
  return tenant === undefined ? undefined : `${named}/${tenant}/v2.0`;
}

function applicationFindings(application: Application, todo: string): readonly Finding[] {
  const { appRoles, api, passwordCredentials, keyCredentials } = application;
  const has = (role: string) => appRoles.some(({ value, isEnabled }) => value === role && isEnabled);
  const version = api?.requestedAccessTokenVersion;
  const secrets = passwordCredentials.length + keyCredentials.length;
  return [
    ...ROLES.filter((role) => !has(role)).map((role) => ({
      says: `the app role ${role} is missing or disabled`,
      todo,
    })),
    ...(version === 2
      ? []
      : [{ says: `its tokens are of version ${version ?? 1}, and the broker takes version 2`, todo }]),
    ...(secrets === 0
      ? []
      : [
          {
            says: `it has ${secrets} secrets or certificates, and the broker uses none: whoever has one is the broker`,
            todo: 'Remove them (az ad app credential delete), and look in the sign-in log for who used them.',
          },
        ]),
  ];
}

/** A code goes where a redirect leads. Only the broker's own pages sign people in for it. */
function redirectFindings(
  { spa, web, publicClient }: Application,
  url: string | undefined,
): readonly Finding[] {
  const all = [spa, web, publicClient].flatMap((platform) => platform?.redirectUris ?? []);
  const own = url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
  const foreign = all.filter((redirect) => !URL.canParse(redirect) || !isOwn(new URL(redirect), own));
  return foreign.map((redirect) => ({
    says: `it redirects to ${redirect}, which is not the broker's`,
    todo: 'Remove that redirect URI in the registration (Authentication).',
  }));
}

/** Without the address of the broker a redirect can only be told by its scheme. */
const isOwn = ({ origin, protocol }: URL, own: string | undefined): boolean =>
  own === undefined ? protocol === 'https:' : origin === own;

function trustFindings(
  trusts: readonly FederatedCredential[],
  principalId: string,
  issuer: string | undefined,
  clientId: string,
): readonly Finding[] {
  const isRight = (trust: FederatedCredential) =>
    trust.subject?.toLowerCase() === principalId.toLowerCase() &&
    (issuer === undefined || trust.issuer.replace(/\/+$/, '') === issuer) &&
    trust.audiences.some((audience) => audience.startsWith('api://AzureADTokenExchange'));
  const others = trusts.filter((trust) => !isRight(trust));
  return [
    ...(trusts.some(isRight)
      ? []
      : [
          {
            says: 'the registration does not trust the identity of the issuer app: no Entra token can be had',
            todo: `infra/app-registration.sh trust ${clientId} ${principalId}`,
          },
        ]),
    ...others.map(({ name, subject }) => ({
      says: `the registration trusts somebody else too: ${name} (${subject ?? 'no subject'})`,
      todo: `az ad app federated-credential delete --id ${clientId} --federated-credential-id ${name}`,
    })),
  ];
}
