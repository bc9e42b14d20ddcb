/** The routes under `/operator/policy` in the OpenAPI document. */
import { JSON_TYPE, type Operation } from './openapi-operation.ts';
import { byOperator, page, withBody } from './openapi-operator-paths.ts';

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of the policy that was changed.',
  schema: { type: 'string' },
};

export const policyPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/operator/policy': {
    get: byOperator({
      summary: 'The policy in force, with its ETag (Broker.Auditor or Broker.Publisher)',
      answers: { 200: ['the policy, and how it came into force', 'policyInForce'] },
    }),
    put: byOperator({
      summary:
        'Puts a policy in force on every instance (Broker.Publisher, for applications only). A large body may be sent with Content-Encoding: gzip',
      parameters: [
        ifMatch,
        {
          name: 'dryRun',
          in: 'query',
          description: 'The answer alone: nothing is changed.',
          schema: { type: 'string' },
        },
      ],
      body: { [JSON_TYPE]: 'applyRequest' },
      answers: {
        200: ['in force on every instance', 'policyApplied'],
        409: [
          'it needs a confirmation, by name; or a running older instance cannot read it',
          'policyUnconfirmed',
        ],
        412: ['another version is in force', 'policyConflict'],
        422: ['it is no policy; every problem with its path', 'policyInvalid'],
        428: ['If-Match is missing', 'problem'],
        ...withBody,
      },
    }),
  },
  '/operator/policy/versions': {
    get: byOperator({
      summary: 'What was in force, who put it there and why (Broker.Auditor or Broker.Publisher)',
      parameters: page,
      answers: { 200: ['a page, the newest first', 'policyVersions'] },
    }),
  },
  '/operator/policy/rollback': {
    post: byOperator({
      summary: 'Puts an earlier version in force again (Broker.Operator)',
      body: { [JSON_TYPE]: 'rollbackRequest' },
      answers: {
        200: ['in force on every instance', 'policyApplied'],
        404: ['no such version was ever in force', 'problem'],
        409: ['a running instance cannot read it', 'policyUnconfirmed'],
        412: ['the policy was changed at the same time', 'policyConflict'],
        422: ['this version of the app cannot read it any more', 'policyInvalid'],
        ...withBody,
      },
    }),
  },
};
