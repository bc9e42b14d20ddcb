#!/usr/bin/env bash
# The broker's app registration in Entra: what callers ask a token for, and whose name the broker's Entra tokens
# carry. It has no secret and no certificate: it trusts the issuer identity. Each step can be repeated.
# Needs the Azure CLI, signed in as Application Administrator or Application Developer. `directory` grants an identity
# two permissions of Microsoft Graph, or takes them away, for which Privileged Role Administrator is needed; without it
# that is said and skipped. The same steps by hand are in README.md.
set -euo pipefail

usage() {
  echo "usage: $0 create <name> [<client id> | new] | trust <client id> <object id of the issuer identity> |
  directory grant|take <object id of an identity> | publishers <client id> |
  console <name> | console-at <console's client id> <url> <client id>" >&2
  exit 2
}

# These GUIDs name the scope and the roles inside our own registration. They are nobody's secret.
# The scope and the role Token.Exchange are one permission for Entra: it refuses two of one value, unless id, name,
# description and state agree.
MANIFEST='{
  "api": {
    "requestedAccessTokenVersion": 2,
    "oauth2PermissionScopes": [{
      "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7001", "value": "Token.Exchange", "type": "User", "isEnabled": true,
      "adminConsentDisplayName": "Exchange tokens",
      "adminConsentDescription": "Lets the app exchange Entra tokens for short-lived Azure AI tokens, as far as the policy grants.",
      "userConsentDisplayName": "Exchange tokens",
      "userConsentDescription": "Lets the app exchange your sign-in for a short-lived Azure AI token."
    }, {
      "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7005", "value": "Broker.Operate", "type": "Admin", "isEnabled": true,
      "adminConsentDisplayName": "Operate the broker",
      "adminConsentDescription": "Lets the app revoke, lift, rotate and read the audit in the name of a person who has the role for it."
    }]
  },
  "appRoles": [
    { "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7001", "value": "Token.Exchange", "isEnabled": true,
      "allowedMemberTypes": ["Application"], "displayName": "Exchange tokens",
      "description": "Lets the app exchange Entra tokens for short-lived Azure AI tokens, as far as the policy grants." },
    { "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7002", "value": "Broker.User", "isEnabled": true,
      "allowedMemberTypes": ["User"], "displayName": "Use the broker",
      "description": "Makes a person one of those who may ask for tokens: without a role nobody can be assigned." },
    { "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7003", "value": "Broker.Operator", "isEnabled": true,
      "allowedMemberTypes": ["User", "Application"], "displayName": "Operate the broker",
      "description": "May revoke, lift a block and rotate at once." },
    { "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7004", "value": "Broker.Auditor", "isEnabled": true,
      "allowedMemberTypes": ["User", "Application"], "displayName": "Audit the broker",
      "description": "May see revocations, events and the plan of rotations." },
    { "id": "5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7006", "value": "Broker.Publisher", "isEnabled": true,
      "allowedMemberTypes": ["Application"], "displayName": "Publish policies",
      "description": "May put a policy in force. For the identity of a pipeline, so that each change is reviewed." }
  ],
  "optionalClaims": { "accessToken": [
    { "name": "idtyp", "additionalProperties": ["include_user_token"] },
    { "name": "xms_cc", "additionalProperties": [] }
  ] }
}'

GRAPH_APP=00000003-0000-0000-c000-000000000000
COGNITIVE_SERVICES_APP=7d312290-28c8-473c-a0ed-8e53749b6d6d

graph_url() { az cloud show --query endpoints.microsoftGraphResourceId --output tsv | sed 's#/*$##'; }

# Never takes over a registration that it finds: any member of most tenants can make one with this name and tag, add
# himself a secret, and wait. It goes on with the one whose client id it is given, or makes a new one.
create() {
  local name=$1 client=${2:-} graph app found principal impersonation
  graph=$(graph_url)
  if [ -z "$client" ]; then
    found=$(az ad app list --filter "tags/any(t:t eq '$name')" --query '[].appId' --output tsv)
    if [ -n "$found" ]; then
      echo "there is already a registration $name, and anybody may have made it:" >&2
      echo "$found" >&2
      echo "If you know one of these as yours: azd env set BROKER_CLIENT_ID <client id>, and again." >&2
      echo "For a new one beside them: azd env set BROKER_CLIENT_ID new, and again." >&2
      exit 1
    fi
  fi
  if [ -z "$client" ] || [ "$client" = new ]; then
    client=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
  fi
  echo "BROKER_CLIENT_ID=$client"
  app=$(az ad app show --id "$client" --query id --output tsv)
  az rest --method PATCH --url "$graph/v1.0/applications/$app" --body "$MANIFEST" --output none
  az rest --method PATCH --url "$graph/v1.0/applications/$app" --body "{ \"tags\": [\"$name\"] }" --output none
  az ad app update --id "$client" --identifier-uris "api://$client" --output none
  # On behalf of: the user's own right to use Azure AI. An administrator consents once (README.md).
  impersonation=$(az ad sp list --filter "appId eq '$COGNITIVE_SERVICES_APP'" \
    --query "[0].oauth2PermissionScopes[?value=='user_impersonation'].id | [0]" --output tsv)
  if [ -z "$impersonation" ]; then
    echo "Microsoft Cognitive Services is not in this tenant yet: on behalf of will need its permission" >&2
  elif ! az ad app permission list --id "$client" --query '[].resourceAccess[].id' --output tsv |
    grep --quiet "$impersonation"; then
    az ad app permission add --id "$client" --api "$COGNITIVE_SERVICES_APP" \
      --api-permissions "$impersonation=Scope" --output none --only-show-errors
  fi
  principal=$(az ad sp list --filter "appId eq '$client'" --query '[0].id' --output tsv)
  if [ -z "$principal" ]; then
    principal=$(az ad sp create --id "$client" --query id --output tsv)
  fi
  # A caller must be assigned: an app without the role, or a user without the assignment, gets no token at all.
  az ad sp update --id "$principal" --set appRoleAssignmentRequired=true --output none
  echo "BROKER_PRINCIPAL_ID=$principal"
}

trust() {
  local client=$1 issuer=$2 tenant authority audience
  tenant=$(az account show --query tenantId --output tsv)
  authority=$(az cloud show --query endpoints.activeDirectory --output tsv | sed 's#/*$##')
  case "$(az cloud show --query name --output tsv)" in
    AzureUSGovernment) audience=api://AzureADTokenExchangeUSGov ;;
    # The CLI knows an older name of its authority; tokens carry this one.
    AzureChinaCloud) audience=api://AzureADTokenExchangeChina authority=https://login.partner.microsoftonline.cn ;;
    *) audience=api://AzureADTokenExchange ;;
  esac
  if [ -z "$(az ad app federated-credential list --id "$client" --query "[?subject=='$issuer'].id" --output tsv)" ]; then
    az ad app federated-credential create --id "$client" --output none --parameters "{
      \"name\": \"issuer-$issuer\", \"issuer\": \"$authority/$tenant/v2.0\",
      \"subject\": \"$issuer\", \"audiences\": [\"$audience\"] }"
  fi
  # An identity that was deleted and made again is another one. Entra takes twenty of these, so the trust in one that
  # is gone is taken away.
  az ad app federated-credential list --id "$client" --query "[?starts_with(name, 'issuer-')].[id, subject]" --output tsv |
    while IFS=$'\t' read -r credential subject; do
      [ "$subject" != "$issuer" ] || continue
      # On its own line: where the question fails the script ends, and nobody is taken for gone.
      holder=$(az ad sp list --filter "id eq '$subject'" --query '[0].id' --output tsv </dev/null)
      [ -z "$holder" ] || continue
      az ad app federated-credential delete --id "$client" --federated-credential-id "$credential" </dev/null
    done
}

# To read a user again when an event says that something about them changed.
directory() {
  local action=$1 principal=$2 graph graph_principal role held
  graph=$(graph_url)
  graph_principal=$(az ad sp list --filter "appId eq '$GRAPH_APP'" --query '[0].id' --output tsv)
  for permission in User.Read.All GroupMember.Read.All; do
    role=$(az ad sp show --id "$graph_principal" --query "appRoles[?value=='$permission'].id | [0]" --output tsv)
    held=$(az rest --method GET --url "$graph/v1.0/servicePrincipals/$principal/appRoleAssignments" \
      --query "value[?appRoleId=='$role'].id | [0]" --output tsv)
    if [ "$action" = grant ] && [ -z "$held" ]; then
      az rest --method POST --url "$graph/v1.0/servicePrincipals/$principal/appRoleAssignments" --output none \
        --body "{ \"principalId\": \"$principal\", \"resourceId\": \"$graph_principal\", \"appRoleId\": \"$role\" }" ||
        echo "$permission was not granted to $principal: ask a Privileged Role Administrator (README.md)" >&2
    elif [ "$action" = take ] && [ -n "$held" ]; then
      az rest --method DELETE --output none \
        --url "$graph/v1.0/servicePrincipals/$principal/appRoleAssignments/$held" ||
        echo "$permission was not taken from $principal: ask a Privileged Role Administrator (README.md)" >&2
    fi
  done
}

# Who holds Broker.Publisher, one a line: User, Group or ServicePrincipal, the object id, the name, with tabs between.
# `npm run check -- --publishers FILE` warns of people among them.
publishers() {
  local client=$1 graph principal role page
  graph=$(graph_url)
  principal=$(az ad sp list --filter "appId eq '$client'" --query '[0].id' --output tsv)
  role=$(az ad sp show --id "$principal" --query "appRoles[?value=='Broker.Publisher'].id | [0]" --output tsv)
  if [ -z "${role#None}" ]; then
    echo "the registration has no app role Broker.Publisher yet: $0 create <name> $client makes it" >&2
    return 0
  fi
  page="$graph/v1.0/servicePrincipals/$principal/appRoleAssignedTo?\$top=999"
  # Everybody who may use the broker is in this list, so it can have many pages.
  while [[ "$page" == https://* ]]; do
    az rest --method GET --url "$page" --output tsv \
      --query "value[?appRoleId=='$role'].[principalType, principalId, principalDisplayName]"
    page=$(az rest --method GET --url "$page" --query '"@odata.nextLink"' --output tsv)
  done
}

# The console: a page that signs people in by redirect, with no secret. Where it is, is known after the deployment.
console() {
  local name=$1 client
  # Not `az ad app create`, which takes over a registration of this name, and anybody may have made one.
  client=$(az rest --method POST --url "$(graph_url)/v1.0/applications" --query appId --output tsv \
    --body "{ \"displayName\": \"$name\", \"signInAudience\": \"AzureADMyOrg\" }")
  echo "BROKER_CONSOLE_CLIENT_ID=$client"
}

console_at() {
  local console=$1 url=$2 client=$3 graph others
  graph=$(graph_url)
  # A single-page app's address: Entra answers only this origin, and only with PKCE.
  az rest --method PATCH --url "$graph/v1.0/applications(appId='$console')" --output none \
    --body "{ \"spa\": { \"redirectUris\": [\"${url%/}/console\"] } }"
  if [ -z "$(az ad sp list --filter "appId eq '$console'" --query '[0].id' --output tsv)" ]; then
    az ad sp create --id "$console" --output none
  fi
  # It may ask for Broker.Operate in a person's name, and for nothing else, without a page that asks for consent. The
  # list is written whole, so whoever is in it already, such as the Azure CLI, is kept.
  others=$(az rest --method GET --url "$graph/v1.0/applications(appId='$client')?\$select=api" \
    --query "api.preAuthorizedApplications[?appId!='$console']" --output json)
  az rest --method PATCH --url "$graph/v1.0/applications(appId='$client')" --output none \
    --body "$(node -p 'JSON.stringify({ api: { preAuthorizedApplications: [
      ...(JSON.parse(process.argv[1]) ?? []),
      { appId: process.argv[2], delegatedPermissionIds: [process.argv[3]] }] } })' \
      "${others:-null}" "$console" 5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d7005)"
}

case "${1:-}" in
  console) [ $# -eq 2 ] || usage; console "$2" ;;
  console-at) [ $# -eq 4 ] || usage; console_at "$2" "$3" "$4" ;;
  create) [ $# -eq 2 ] || [ $# -eq 3 ] || usage; create "$2" "${3:-}" ;;
  trust) [ $# -eq 3 ] || usage; trust "$2" "$3" ;;
  directory) [[ $# -eq 3 && "$2" =~ ^(grant|take)$ ]] || usage; directory "$2" "$3" ;;
  publishers) [ $# -eq 2 ] || usage; publishers "$2" ;;
  *) usage ;;
esac
