# Run by `sh` in compose.yaml: RabbitMQ with the passwords of its users. shellcheck shell=sh
#
# Definitions hold none, and whoever imports them, as each start does, takes the passwords away.
#
# Usage: sh rabbitmq.sh [FOLDER OF PASSWORDS] [FOLDER OF THE SERVER]
set -eu
secrets=${1:-/run/secrets/revoker}
export HOME="${2:-/var/lib/rabbitmq}"

give_passwords() {
  # The server makes it; rabbitmqctl, if it came first, would make another.
  until [ -s "$HOME/.erlang.cookie" ]; do sleep 1; done
  until rabbitmqctl --quiet await_startup >/dev/null 2>&1; do sleep 1; done
  for user in revoker operator; do
    until rabbitmqctl --quiet change_password "$user" <"$secrets/$user"; do sleep 1; done
  done
}

give_passwords &
exec docker-entrypoint.sh rabbitmq-server
