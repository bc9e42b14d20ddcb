import { app, type HttpMethod } from '@azure/functions';
import { boundedOperator, boundedPolicy } from '../../src/http/bounded.ts';
import { type Issuer, issuer } from '../../src/issuer.ts';

/** The routes for operators begin with `/operator`, because the Functions host has `/admin` and `/runtime`. */
const ROUTES: readonly [HttpMethod, string, keyof Issuer['operator']][] = [
  ['GET', 'operator/revocations', 'listRevocations'],
  ['POST', 'operator/revocations', 'revoke'],
  ['POST', 'operator/revocations/lift', 'lift'],
  ['GET', 'operator/events', 'listEvents'],
  ['GET', 'operator/audit', 'readAudit'],
  ['GET', 'operator/audit/export', 'exportAudit'],
  ['GET', 'operator/usage', 'readUsage'],
  ['GET', 'operator/proof', 'readProof'],
  ['GET', 'operator/accounts', 'listAccounts'],
  ['GET', 'operator/accounts/{name}', 'readAccount'],
  ['GET', 'operator/accounts/{name}/history', 'readHistory'],
  ['POST', 'operator/accounts/{name}/pause', 'pause'],
  ['POST', 'operator/accounts/{name}/resume', 'resume'],
  ['POST', 'operator/accounts/{name}/rotate', 'rotate'],
  ['GET', 'operator/operations', 'listOperations'],
  ['GET', 'operator/operations/{id}', 'readOperation'],
  ['GET', 'operator/policy', 'readPolicy'],
  ['GET', 'operator/policy/versions', 'listPolicyVersions'],
  ['POST', 'operator/policy/rollback', 'rollBackPolicy'],
];

for (const [method, route, action] of ROUTES)
  app.http(`operator-${action}`, {
    route,
    methods: [method],
    authLevel: 'anonymous',
    handler: boundedOperator((request) => issuer().operator[action](request)),
  });

app.http('operator-explain', {
  route: 'operator/explain',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: boundedOperator((request) => issuer().explain(request)),
});

app.http('operator-whatIf', {
  route: 'operator/what-if',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: boundedPolicy((request) => issuer().whatIf(request)),
});

app.http('operator-applyPolicy', {
  route: 'operator/policy',
  methods: ['PUT'],
  authLevel: 'anonymous',
  handler: boundedPolicy((request) => issuer().operator.applyPolicy(request)),
});
