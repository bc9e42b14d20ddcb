/** `token RESOURCE`: prints a token. */
import type { BrokerToken } from '../../client/broker-token.ts';
import type { Call } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { asFailure, supply } from '../held-token.ts';
import { openSession } from '../session.ts';
import { kindOf } from '../token-kinds.ts';

export async function run({ world, args: [resource = ''], options }: Call): Promise<undefined> {
  const forms = ['json', 'header', 'env'].filter((form) => options[form] === true);
  if (forms.length > 1)
    throw new CommandFailure(
      'usage',
      `${forms.map((form) => `--${form}`).join(' and ')} exclude each other.`,
    );
  const session = await openSession(world, options);
  const tokens = supply(world, session, resource, kindOf(options));
  const token = await tokens.get().catch((error: unknown) => {
    throw asFailure(error, resource);
  });
  world.stdout.write(formOf(forms[0], resource, token));
}

function formOf(form: string | undefined, resource: string, token: BrokerToken): string {
  const expiresAt = new Date(token.expiresAtMs).toISOString();
  switch (form) {
    case 'json': {
      const { accessToken, speechAuthorization, tokenKind, endpoint, region, refreshAtMs } = token;
      const refreshAt = new Date(refreshAtMs).toISOString();
      const speech = speechAuthorization === undefined ? {} : { speechAuthorization };
      return `${JSON.stringify({ resource, accessToken, ...speech, tokenKind, endpoint, region, expiresAt, refreshAt })}\n`;
    }
    case 'header':
      return `Authorization: Bearer ${token.accessToken}\n`;
    case 'env':
      return [
        `AZURE_AI_TOKEN=${token.accessToken}`,
        `AZURE_AI_ENDPOINT=${token.endpoint}`,
        `AZURE_AI_REGION=${token.region}`,
        `AZURE_AI_TOKEN_EXPIRES_AT=${expiresAt}`,
        '',
      ].join('\n');
    default:
      return `${token.accessToken}\n`;
  }
}
