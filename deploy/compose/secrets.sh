# Run by `sh` in compose.yaml: makes what the containers must keep secret, each readable to one user alone.
# What is there already stays. shellcheck shell=sh
#
# Usage: sh secrets.sh FOLDER, which has the folders worker, operator, rabbitmq and grafana.
set -eu
cd "$1"
umask 077
# Users of the images: distroless "nonroot", rabbitmq, grafana.
worker=65532 rabbitmq=999 grafana=472

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

put() { # OWNER FILE VALUE
  printf '%s\n' "$3" >"$2"
  chmod 400 "$2"
  chown "$1:$1" "$2"
}

# Whoever owns a folder that is closed to others must be let in.
for folder in worker operator rabbitmq grafana; do chmod 755 "$folder"; done

# The last one is written last: where it is, all are.
[ ! -e grafana/admin ] || exit 0
rm -f worker/* operator/* rabbitmq/*

password=$(random)
put "$worker" worker/amqp "$password"
put "$rabbitmq" rabbitmq/revoker "$password"
password=$(random)
put "$worker" operator/amqp "$password"
put "$rabbitmq" rabbitmq/operator "$password"

# A key ring as `revoker keygen` writes it, for the worker to seal and the operator to open.
key=revoker-key-v1:$(random)
put "$worker" worker/seal.keys "$key"
put "$worker" operator/seal.keys "$key"

# The pretend API's, which is no secret.
put "$worker" worker/stytch secret-test-sandbox
put "$grafana" grafana/admin "$(random)"
