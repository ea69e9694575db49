# Sourced by deploy/demo, tests/run, tests/bench/run and tests/fuzz/run: what they need on a fresh machine.
#
# Installs what lacks through apt-get, or names it in one line and ends. Nothing here starts a
# service: RabbitMQ is installed with its system node held back, and a private node is used; of
# Prometheus only promtool is.
# shellcheck shell=bash

rust_minor_min=88

stop_with() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Inherited settings name somebody's real broker, project and secret: nothing started from here may
# see them. A proxy must not stand between processes on one machine either.
forget_inherited_settings() {
  local name
  for name in "${!REVOKER_@}"; do unset "$name"; done
  export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
}

require_rust() {
  local version minor
  command -v cargo >/dev/null || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
  version=$(rustc --version 2>/dev/null) || stop_with "Rust 1.$rust_minor_min or newer is missing; install it from https://rustup.rs"
  minor=$(printf '%s' "$version" | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
  [ -z "$minor" ] || [ "$minor" -ge "$rust_minor_min" ] ||
    stop_with "$version is too old, 1.$rust_minor_min is the oldest that works; run: rustup update stable"
}

# A component of the Rust toolchain, by the name of its command and of itself.
require_rust_component() { # COMMAND COMPONENT
  cargo "$1" --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || stop_with "cargo $1 is missing; install the component $2 of your Rust toolchain"
  rustup component add "$2" >&2 || stop_with "cargo $1 is missing and 'rustup component add $2' failed"
}

has_rabbitmq() { [ -x "${PRIVATE_NODE_BIN:-/usr/lib/rabbitmq/bin}/rabbitmq-server" ]; }
has_libfaketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; }
# The distribution's own Python, whatever else the path names.
has_pika() { /usr/bin/python3 -c 'import pika' 2>/dev/null; }
has_npm() { command -v node >/dev/null && command -v npm >/dev/null; }
has_c_compiler() { command -v cc >/dev/null && echo 'int main(void){return 0;}' | cc -x c -o /dev/null - 2>/dev/null; }

# Installs a C compiler (the TLS library is partly C), unless the caller has a broker RabbitMQ, for
# those who check metrics promtool, for those who run the examples Python's AMQP client, for those who
# check signatures ssh-keygen, for those who bring about faults what turns a process's clock and makes
# certificates, for those who fuzz a C++ compiler, and for those who check the contract Node and npm.
# Usage: require_packages [without-rabbitmq] [with-promtool] [with-pika] [with-ssh-keygen] [with-faults] [with-c++] [with-npm]
require_packages() {
  local packages=() with=" $* "
  has_c_compiler || packages+=(gcc libc6-dev)
  [[ $with == *' without-rabbitmq '* ]] || has_rabbitmq || packages+=(rabbitmq-server)
  [[ $with != *' with-c++ '* ]] || command -v c++ >/dev/null || packages+=(g++)
  [[ $with != *' with-promtool '* ]] || command -v promtool >/dev/null || packages+=(prometheus)
  [[ $with != *' with-pika '* ]] || has_pika || packages+=(python3-pika)
  [[ $with != *' with-ssh-keygen '* ]] || command -v ssh-keygen >/dev/null || packages+=(openssh-client)
  [[ $with != *' with-faults '* ]] || has_libfaketime || packages+=(libfaketime)
  [[ $with != *' with-faults '* ]] || command -v openssl >/dev/null || packages+=(openssl)
  [[ $with != *' with-npm '* ]] || has_npm || packages+=(nodejs npm)
  [ ${#packages[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    stop_with "missing: ${packages[*]}, and there is no apt-get to install them; install a C compiler yourself and set DEMO_AMQP_URL to a RabbitMQ 3.10 or newer"
  echo "installing with apt-get: ${packages[*]} (about a minute; no service is started)"
  install_packages "${packages[@]}"
}

install_packages() {
  local log as_root=()
  log=$(mktemp)
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop_with "missing: $*; run this as root, or install them: apt-get install $*"
    as_root=(sudo)
  fi
  # One process with root rights, so that sudo asks once; see held_back_install.
  if ! "${as_root[@]}" bash -c "$(declare -f held_back_install); held_back_install \"\$@\"" install "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop_with "apt-get could not install $*; the whole log is $log"
  fi
  rm -f "$log"
}

# Runs as root. policy-rc.d is Debian's way to keep a package from starting its service: answering
# 101 forbids it. One that was there before is put back.
held_back_install() {
  set -eu
  # Not local: the trap runs after this function has ended.
  policy=/usr/sbin/policy-rc.d was_there=
  restore() { if [ -n "$was_there" ]; then mv "$policy.before-revoker" "$policy"; else rm -f "$policy"; fi; }
  if [ -e "$policy" ]; then
    was_there=yes
    mv "$policy" "$policy.before-revoker"
  fi
  trap restore EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends "$@"
  # Nor may a service start at the next boot: nobody asked for it.
  for service in rabbitmq-server prometheus; do
    case " $* " in
      *" $service "*) ! command -v systemctl >/dev/null || systemctl disable "$service" || true ;;
    esac
  done
}

# Where cargo puts what it builds, whatever the caller's configuration.
target_directory() {
  cargo metadata --format-version 1 --no-deps --locked --offline 2>/dev/null |
    grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4
}
