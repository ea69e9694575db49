# Sourced by run: installs what the peers are made of, in exactly the versions that peers/ names, into
# a folder outside the repository. Nothing is installed for programs that are not asked for.
# shellcheck shell=bash

node_major_min=20
python_minor_min=10
peers=${XDG_CACHE_HOME:-$HOME/.cache}/revoker-bench

install_peers() { # PROGRAM…
  case " $* " in *' node-'*) install_node_peers ;; esac
  case " $* " in *' faststream '* | *' celery'*) install_python_peers ;; esac
}

install_node_peers() {
  local from=tests/bench/peers/node major
  command -v node >/dev/null && command -v npm >/dev/null ||
    stop_with "node or npm is missing; install Node $node_major_min or newer, or leave its workers out with --only"
  major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
  [ "$major" -ge "$node_major_min" ] || stop_with "Node $major is too old, $node_major_min is the oldest that works"
  mkdir -p "$peers/node"
  cp "$from"/*.mjs "$peers/node/" # beside their packages: that is where Node looks
  ! cmp -s "$from/package-lock.json" "$peers/node/package-lock.json" || [ ! -f "$peers/node/installed" ] || return 0
  echo "installing the Node workers' packages into $peers/node"
  cp "$from"/package*.json "$peers/node/"
  (cd "$peers/node" && npm ci --omit dev --no-audit --no-fund --ignore-scripts --loglevel error) >&2 ||
    stop_with "npm could not install the packages of $from/package.json"
  touch "$peers/node/installed"
}

install_python_peers() {
  local from=tests/bench/peers/python/requirements.txt
  python3 -c "import sys, venv; sys.exit(sys.version_info < (3, $python_minor_min))" 2>/dev/null ||
    stop_with "python3 with venv is missing or older than 3.$python_minor_min; install python3-venv, or leave its workers out with --only"
  ! cmp -s "$from" "$peers/venv/installed" || return 0
  echo "installing the Python workers' packages into $peers/venv"
  mkdir -p "$peers"
  rm -rf "$peers/venv"
  python3 -m venv "$peers/venv" ||
    stop_with "python3 could not make a virtual environment; install python3-venv, or leave its workers out with --only"
  "$peers/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$from" >&2 ||
    stop_with "pip could not install $from"
  cp "$from" "$peers/venv/installed"
}
