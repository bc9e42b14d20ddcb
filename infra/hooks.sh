#!/usr/bin/env bash
# What azd does around its own steps (azure.yaml). azd gives its environment's values as variables.
set -euo pipefail
cd "$(dirname "$0")"

# A role works some minutes after it was given, ten by Azure's own words.
ROLE_SECONDS=300

install() { [ -d ../node_modules ] || (cd .. && npm ci --no-audit --no-fund); }

# A wrong policy or a missing role is found here, and not by the first caller.
check_policy() { (cd .. && npm run check -- --environment "$AZURE_ENV_NAME"); }

# A member of this environment's entry in environments.json.
setting() { node -p "require('./environments.json')[process.env.AZURE_ENV_NAME]['$1']"; }

# azd and the Azure CLI are signed in apart: the registration must be where the subscription is.
check_tenant() {
  if [ "$(az account show --query tenantId --output tsv)" != \
    "$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId --output tsv)" ]; then
    echo "the Azure CLI is in another tenant than $AZURE_SUBSCRIPTION_ID: az account set -s $AZURE_SUBSCRIPTION_ID" >&2
    exit 1
  fi
}

# Flex Consumption delegates its subnets to Microsoft.App. A deployment registers only the providers of its resources.
register_providers() {
  [ "$(setting privateNetwork)" = true ] || return 0
  [ "$(az provider show --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" \
    --query registrationState --output tsv)" = Registered ] && return 0
  echo "registering the resource provider Microsoft.App, which the private network needs: some minutes"
  az provider register --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" --wait --output none
}

# A vault keeps its name for 90 days after it was deleted, and nothing can purge it: take it back.
recover_vault() {
  local name
  name=$(az keyvault list-deleted --subscription "$AZURE_SUBSCRIPTION_ID" --resource-type vault --output tsv --query \
    "[?properties.tags.application=='azure-ai-token-broker' && properties.tags.\"azd-env-name\"=='$AZURE_ENV_NAME' && properties.location=='$AZURE_LOCATION'].name | [0]")
  [ -n "$name" ] || return 0
  echo "recovering the deleted vault $name"
  az group create --subscription "$AZURE_SUBSCRIPTION_ID" --name "rg-broker-$AZURE_ENV_NAME" \
    --location "$AZURE_LOCATION" --output none \
    --tags "azd-env-name=$AZURE_ENV_NAME" application=azure-ai-token-broker
  az keyvault recover --subscription "$AZURE_SUBSCRIPTION_ID" --name "$name" --output none
}

# Azure allows one system topic for each subscription. Another environment, or somebody else, may have made it.
find_activity_topic() {
  local id="" principal="" topic type holder
  if [ "$(setting activityEvents)" = true ]; then
    while IFS=$'\t' read -r topic type holder; do
      case "$topic" in */resourceGroups/rg-broker-"$AZURE_ENV_NAME"/*) continue ;; esac
      case "$type" in [Mm]icrosoft.[Rr]esources.[Ss]ubscriptions) id=$topic principal=$holder ;; esac
    done < <(az eventgrid system-topic list --subscription "$AZURE_SUBSCRIPTION_ID" \
      --query '[].[id, topicType, identity.principalId]' --output tsv)
    if [ -n "$id" ] && [ -z "${principal#None}" ]; then
      echo "no events of the Activity Log: the subscription's topic $id has no identity to deliver with." >&2
      echo "The timers find the same some minutes later. To have them: az eventgrid system-topic update --ids $id --identity systemassigned" >&2
      id=none principal=""
    fi
  fi
  azd env set BROKER_EXISTING_ACTIVITY_TOPIC_ID "$id"
  azd env set BROKER_EXISTING_ACTIVITY_TOPIC_PRINCIPAL_ID "$principal"
}

# The first package is read with a role that was given a minute ago, and azd does not try again.
wait_for_roles() {
  local storage newest="" given seconds
  for storage in $BROKER_PACKAGE_STORAGE_IDS; do
    given=$(az role assignment list --scope "$storage" --query 'max([].createdOn)' --output tsv)
    if [[ "$given" > "$newest" ]]; then newest=$given; fi
  done
  seconds=$(node -p "Math.max(0, Math.ceil((Date.parse('$newest') - Date.now()) / 1000) + $ROLE_SECONDS) || 0")
  [ "$seconds" -gt 0 ] || return 0
  echo "waiting $seconds s: the roles that read the packages were just given"
  sleep "$seconds"
}

# What the workflows may do here. A person makes it, because it is role administration (README.md, Pipeline).
give_pipeline_its_roles() {
  [ -n "${BROKER_REPOSITORY:-}" ] || return 0
  az deployment sub create --only-show-errors --subscription "$AZURE_SUBSCRIPTION_ID" --name "pipeline-$AZURE_ENV_NAME" \
    --location "$AZURE_LOCATION" --template-file pipeline.bicep --parameters environmentName="$AZURE_ENV_NAME" \
    location="$AZURE_LOCATION" repository="$BROKER_REPOSITORY" \
    --query 'properties.outputs.*.value' --output tsv | {
    read -r deploys
    read -r asks
    echo "for GitHub, AZURE_CLIENT_ID of the environment $AZURE_ENV_NAME: $deploys; AZURE_WHAT_IF_CLIENT_ID: $asks"
  }
}

# A package that does not load is deployed without an error, and serves 404 everywhere.
compare_functions() {
  local service=$1 app=$2 built deployed
  built=$(../node_modules/.bin/node function-names.ts "$service")
  for _ in {1..30}; do
    deployed=$(az functionapp function list --subscription "$AZURE_SUBSCRIPTION_ID" \
      --resource-group "$AZURE_RESOURCE_GROUP" --name "$app" --query '[].name' --output tsv | sed 's#.*/##' | LC_ALL=C sort)
    [ "$built" != "$deployed" ] || return 0
    sleep 10
  done
  echo "$app has other functions than were built (< built, > deployed):" >&2
  diff <(echo "$built") <(echo "$deployed") >&2
}

# Azure deletes no storage account with a blob that is still to be kept. A policy that is not locked can be taken away
# first; with one that is, all but that account would be deleted before Azure says so. What cannot be read stops it.
release_proof() {
  local id=${BROKER_STORAGE_ID:-} name found policy state etag
  name=${id##*/}
  [ -n "$name" ] || return 0
  found=$(az storage account list --subscription "$AZURE_SUBSCRIPTION_ID" --query "[?name=='$name'].name" --output tsv)
  [ -n "$found" ] || return 0
  local account=(--subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP")
  found=$(az storage container-rm list "${account[@]}" --storage-account "$name" \
    --query "[?name=='proof' && hasImmutabilityPolicy].name" --output tsv)
  [ -n "$found" ] || return 0
  account+=(--account-name "$name" --container-name proof)
  policy=$(az storage container immutability-policy show "${account[@]}" --query '[state, etag]' --output tsv)
  IFS=$'\t' read -r state etag <<<"$policy"
  if [ "$state" = Locked ]; then
    echo "nothing was deleted: the proof of the audit is locked, and Azure keeps its storage account until the time of" >&2
    echo "the last blob is over (README.md, Down and up again)." >&2
    exit 1
  fi
  az storage container immutability-policy delete "${account[@]}" --if-match "$etag" --output none
  echo "the proof of the audit can be deleted now. If you do not go on: azd provision protects it again"
}

case "${1:-}" in
  before-package)
    install
    check_policy
    (cd .. && npm run check:infra && npm run build)
    ;;
  before-provision)
    # For `azd provision` alone, which does not package. The check only reads.
    install
    check_policy
    check_tenant
    register_providers
    recover_vault
    find_activity_topic
    if [ -z "${BROKER_CLIENT_ID:-}" ] || [ -z "${BROKER_PRINCIPAL_ID:-}" ]; then
      # Each value is kept as soon as it is known: what was begun goes on with the same registration.
      ./app-registration.sh create "azure-ai-token-broker-$AZURE_ENV_NAME" "${BROKER_CLIENT_ID:-}" |
        while IFS='=' read -r name value; do azd env set "$name" "$value"; done
    fi
    # A pipeline's identity has no rights in the directory, and without the console all else works.
    if [ -z "${BROKER_CONSOLE_CLIENT_ID:-}${CI:-}" ]; then
      ./app-registration.sh console "azure-ai-token-broker-console-$AZURE_ENV_NAME" |
        while IFS='=' read -r name value; do azd env set "$name" "$value"; done
    fi
    ;;
  after-provision)
    # The first deployment is made by a person. A pipeline's identity has no rights in the directory.
    [ -z "${CI:-}" ] || exit 0
    ./app-registration.sh trust "$BROKER_CLIENT_ID" "$BROKER_ISSUER_PRINCIPAL_ID"
    if [ -n "${BROKER_CONSOLE_CLIENT_ID:-}" ]; then
      ./app-registration.sh console-at "$BROKER_CONSOLE_CLIENT_ID" "$BROKER_URL" "$BROKER_CLIENT_ID"
    fi
    ./app-registration.sh directory grant "$BROKER_ROTATOR_PRINCIPAL_ID"
    give_pipeline_its_roles
    # Only warned of: who may list the holders of a role is not who may deploy.
    if holders=$(./app-registration.sh publishers "$BROKER_CLIENT_ID"); then
      (cd .. && npm run check -- --environment "$AZURE_ENV_NAME" --publishers - <<<"$holders")
    fi
    if [ "$BROKER_ISSUER_READS_DIRECTORY" = true ]; then
      ./app-registration.sh directory grant "$BROKER_ISSUER_PRINCIPAL_ID"
    else
      ./app-registration.sh directory take "$BROKER_ISSUER_PRINCIPAL_ID"
    fi
    ;;
  before-deploy)
    # `azd deploy` alone packages without the hook before it, so the folders must be there.
    install
    check_policy
    # Of a release one app after the other is deployed, each as it was built (.github/workflows/promote.yml).
    [ -n "${BROKER_RELEASED_APP:-}" ] || (cd .. && npm run build)
    wait_for_roles
    ;;
  after-deploy)
    # Roles may take ten minutes to work; until then the app cannot read its tables and says so.
    curl --fail --silent --show-error --retry 60 --retry-all-errors --retry-delay 10 --retry-max-time 600 \
      "$BROKER_URL/health"
    echo
    [ "${BROKER_RELEASED_APP:-}" = rotator ] || compare_functions issuer "$BROKER_ISSUER_APP_NAME"
    [ "${BROKER_RELEASED_APP:-}" = issuer ] || compare_functions rotator "$BROKER_ROTATOR_APP_NAME"
    # Now that the function exists, Event Grid accepts a subscription for it.
    az deployment group create --only-show-errors --output none --subscription "$AZURE_SUBSCRIPTION_ID" \
      --name subscriptions --resource-group "$AZURE_RESOURCE_GROUP" --template-file subscriptions.bicep \
      --parameters environmentName="$AZURE_ENV_NAME" issuerAppName="$BROKER_ISSUER_APP_NAME" \
        storageId="$BROKER_STORAGE_ID" deadLettersName="$BROKER_DEAD_LETTERS_NAME" topicName="$BROKER_TOPIC_NAME" \
        vaultTopicName="$BROKER_VAULT_TOPIC_NAME" activityTopicId="${BROKER_ACTIVITY_TOPIC_ID:-}"
    ;;
  before-down)
    release_proof
    ;;
  *)
    echo "usage: $0 before-package | before-provision | after-provision | before-deploy | after-deploy | before-down" >&2
    exit 2
    ;;
esac
