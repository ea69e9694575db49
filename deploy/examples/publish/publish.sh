#!/usr/bin/env bash
# Asks Revoker to end a user's sessions, or one: MANAGEMENT_URL=https://user:password@host:15671/api
# publish.sh USER_OR_SESSION_ID [VHOST] [EXCHANGE]. For an incident and a machine with nothing but curl.
#
# Not for production: no document promises that the management API waits until the event is safe on disk,
# a login for every event is slow, and its user needs a management tag.
set -euo pipefail
target=$1 vhost=${2:-/} exchange=${3:-revocation.urgent}
publisher=password-reset # your service: the routing key
case $target in session-*) field=session_id ;; *) field=user_id ;; esac
case $target in *[!A-Za-z0-9._:-]*) echo "that is no id" >&2 && exit 64 ;; esac

id=$(cat /proc/sys/kernel/random/uuid)
event="{\"type\":\"session.revoke.v1\",\"id\":\"$id\",\"occurred_at\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"reason\":\"password_reset\",\"$field\":\"$target\"}"
payload=${event//\"/\\\"}
request="{\"properties\":{\"content_type\":\"application/json\",\"delivery_mode\":2,\"message_id\":\"$id\"},\"routing_key\":\"$publisher\",\"payload\":\"$payload\",\"payload_encoding\":\"string\"}"

# The URL holds the password, so it comes to curl on standard input and not among its arguments.
answer=$(printf 'url = "%s/exchanges/%s/%s/publish"\n' "$MANAGEMENT_URL" "${vhost//\//%2F}" "$exchange" |
  curl --silent --show-error --max-time 10 --header 'content-type: application/json' --data "$request" --config -)
case $answer in
  *'"routed":true'*) echo "published $id" ;;
  *'"routed":false'*) echo "returned: no queue takes what is published to $exchange; does a worker run with this vhost and prefix?" >&2 && exit 1 ;;
  *) echo "refused: $answer" >&2 && exit 1 ;;
esac
