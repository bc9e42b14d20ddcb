/** What an identity holds, by itself or through a group, in the subscriptions that matter, with what each role means. */
import type { AzureReader } from './azure-reader.ts';
import type { Looked } from './check.ts';
import type { App, Assignment, RoleDefinition } from './evidence.ts';
import { roleAssignment, roleDefinition } from './shapes.ts';

const VERSION = 'api-version=2022-04-01';

export function roleReader(arm: AzureReader) {
  const definitions = new Map<string, Promise<Looked<RoleDefinition>>>();
  function definitionOf(id: string): Promise<Looked<RoleDefinition>> {
    const known = definitions.get(id.toLowerCase());
    if (known !== undefined) return known;
    const asked = arm.get('a role', `${id}?${VERSION}`, roleDefinition);
    definitions.set(id.toLowerCase(), asked);
    return asked;
  }
  return async (
    app: Looked<App>,
    subscriptions: readonly string[],
  ): Promise<Looked<readonly Assignment[]>> => {
    if ('unseen' in app) return app;
    // Of a subscription: at it, above and below; with the groups that the identity is in.
    const filter = encodeURIComponent(`assignedTo('${app.seen.principalId}')`);
    const found = new Map<string, Assignment>();
    for (const subscription of subscriptions) {
      const path = `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleAssignments?${VERSION}&$filter=${filter}`;
      const looked = await arm.list(`the roles of ${app.seen.name}`, path, roleAssignment);
      if ('unseen' in looked) return looked;
      for (const { properties } of looked.seen) {
        const { scope, roleDefinitionId } = properties;
        // What is given above the subscriptions is listed in each of them.
        found.set(`${scope} ${roleDefinitionId}`.toLowerCase(), {
          scope,
          role: await definitionOf(roleDefinitionId),
        });
      }
    }
    return { seen: [...found.values()] };
  };
}
