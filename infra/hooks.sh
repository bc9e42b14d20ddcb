#!/usr/bin/env bash
# What azd does around its own steps (azure.yaml). azd gives its environment's values as variables.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
  before-provision)
    # A wrong policy or a missing role is found here, and not by the first caller.
    [ -d ../node_modules ] || (cd .. && npm ci --no-audit --no-fund)
    (cd .. && npm run check -- --environment "$AZURE_ENV_NAME" && npm run check:infra)
    # azd and the Azure CLI are signed in apart: the registration must be where the subscription is.
    if [ "$(az account show --query tenantId --output tsv)" != \
      "$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId --output tsv)" ]; then
      echo "the Azure CLI is in another tenant than $AZURE_SUBSCRIPTION_ID: az account set -s $AZURE_SUBSCRIPTION_ID" >&2
      exit 1
    fi
    if [ -z "${BROKER_CLIENT_ID:-}" ] || [ -z "${BROKER_PRINCIPAL_ID:-}" ]; then
      ./app-registration.sh create "azure-ai-token-broker-$AZURE_ENV_NAME" |
        while IFS='=' read -r name value; do azd env set "$name" "$value"; done
    fi
    ;;
  after-provision)
    # The first deployment is made by a person. A pipeline's identity has no rights in the directory.
    [ -n "${CI:-}" ] || ./app-registration.sh trust "$BROKER_CLIENT_ID" "$BROKER_ISSUER_PRINCIPAL_ID"
    ;;
  after-deploy)
    # Roles may take ten minutes to work; until then the app cannot read its tables and says so.
    curl --fail --silent --show-error --retry 60 --retry-all-errors --retry-delay 10 --retry-max-time 600 \
      "$BROKER_URL/health"
    echo
    # Now that the function exists, Event Grid accepts a subscription for it.
    az deployment group create --only-show-errors --output none --subscription "$AZURE_SUBSCRIPTION_ID" \
      --name subscriptions --resource-group "$AZURE_RESOURCE_GROUP" --template-file subscriptions.bicep \
      --parameters appName="$BROKER_APP_NAME" storageName="$BROKER_STORAGE_NAME" \
        deadLettersName="$BROKER_DEAD_LETTERS_NAME" topicName="$BROKER_TOPIC_NAME" \
        vaultTopicName="$BROKER_VAULT_TOPIC_NAME" activityTopicName="${BROKER_ACTIVITY_TOPIC_NAME:-}"
    ;;
  *)
    echo "usage: $0 before-provision | after-provision | after-deploy" >&2
    exit 2
    ;;
esac
