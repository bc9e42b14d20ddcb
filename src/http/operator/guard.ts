/**
 * Who may use `/operator/*`, and how its requests are read: what every group of routes shares. Operators and auditors
 * send their own Entra token as Bearer, with the app role `Broker.Auditor` to read or `Broker.Operator` to change
 * something. A person's token needs the scope `Broker.Operate` too, so that the person's other clients cannot operate
 * for them. Answers are JSON, problems are RFC 9457.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Caller } from '../../ports.ts';
import { type Admit, type AUDITOR, hasRole, type OPERATOR, OPERATOR_SCOPE } from '../../revocation/admit.ts';
import { parseStrictObject } from '../../strict-json.ts';
import { UpstreamFailure } from '../../upstream.ts';
import { problem, unavailable } from '../problem.ts';
import { CHALLENGE, refusedBearer } from '../protected-form.ts';
import { wrongQuery } from '../query.ts';
import { readBearer } from '../token-request.ts';

export type Role = typeof OPERATOR | typeof AUDITOR;
export type Action = (request: HttpRequest, caller: Caller) => Promise<HttpResponseInit>;

/**
 * Runs the action for a verified caller who is not revoked and has the role. Else a problem; in an outage 503.
 * @param query the names of the query parameters that the route takes
 */
export function guarded(admit: Admit, role: Role, action: Action, query: readonly string[] = []) {
  return admitted(admit, async (request, caller) => {
    if (!hasRole(caller, role))
      return problem(
        403,
        'Forbidden',
        `the app role ${role} is required, and in a person's token the scope ${OPERATOR_SCOPE} too`,
        { 'www-authenticate': `${CHALLENGE}, error="insufficient_scope"` },
      );
    const wrong = wrongQuery(request.url, query);
    return wrong === undefined ? await action(request, caller) : badRequest(wrong);
  });
}

/** Runs the action for a verified caller who is not revoked, whatever its roles. */
export function admitted(admit: Admit, action: Action) {
  return async (request: HttpRequest): Promise<HttpResponseInit> => {
    try {
      const bearer = readBearer(request.headers.get('authorization') ?? '');
      const caller = bearer === undefined ? undefined : await admit(bearer, 'operator');
      if (caller === undefined || !('objectId' in caller)) {
        const { challenge, description } =
          caller === undefined
            ? { challenge: CHALLENGE, description: 'send an Entra access token as Bearer' }
            : refusedBearer(caller);
        return problem(401, 'Unauthorized', description, { 'www-authenticate': challenge });
      }
      return await action(request, caller);
    } catch (error) {
      if (error instanceof UpstreamFailure) return unavailable(error);
      throw error;
    }
  };
}

/** The body is read as strictly as the policy. */
export const readObject = async (request: HttpRequest): Promise<Record<string, unknown> | 'unreadable'> =>
  parseStrictObject(await request.text());
export const NO_OBJECT = 'the body must be a JSON object with each member once';
export const hasMembers = (value: object): boolean => Object.keys(value).length > 0;

export const badRequest = (detail: string): HttpResponseInit => problem(400, 'Bad Request', detail);
export const json = (
  status: number,
  jsonBody: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit => ({
  status,
  headers: { 'cache-control': 'no-store', ...headers },
  jsonBody,
});
