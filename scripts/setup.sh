#!/usr/bin/env bash
# Installs the Debian 12 packages that Otaria needs. Changes nothing when all of them are there already.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/setup.sh [--check] [--bench] [--list]

  (nothing)   what building, testing and the demonstration need
  --check     also what scripts/check.sh needs (clang, clang-tidy, clang-format, shellcheck)
  --bench     also what bench/ compares with (nginx, wrk)
  --list      print the packages and install nothing

Needs root, or sudo. Installing mosquitto or nginx makes Debian enable a system service of that name. This script keeps
it from starting now; our programs and tests start their own brokers on their own ports and never use the system's.
TEXT
}

base=(build-essential cmake ninja-build ccache pkg-config git ca-certificates
      libboost1.81-dev libssl-dev libmbedtls-dev libmosquitto-dev mosquitto-dev libsqlite3-dev libcurl4-openssl-dev
      nlohmann-json3-dev libjsmn-dev libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev
      libp11-kit-dev libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
      mosquitto mosquitto-clients sqlite3 curl jq python3 python3-jsonschema python3-yaml
      python3-cryptography rabbitmq-server softhsm2 openssl procps iproute2 util-linux)
check=(clang clang-tidy clang-format libclang-rt-14-dev shellcheck)
bench=(nginx-light wrk)

wanted=("${base[@]}")
list_only=no
for argument in "$@"; do
  case "$argument" in
    --check) wanted+=("${check[@]}") ;;
    --bench) wanted+=("${bench[@]}") ;;
    --list) list_only=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [ "$list_only" = yes ]; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

export PATH="$PATH:/usr/sbin:/sbin"  # an ordinary user's PATH on Debian lacks them

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: all ${#wanted[@]} packages are installed"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here; Otaria is built and tested on Debian 12. Missing: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: run this as root (there is no sudo), it installs: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

log=$(mktemp -t otaria-setup.XXXXXX)
policy=/usr/sbin/policy-rc.d
made_policy=no
finish() {
  if [ "$made_policy" = yes ]; then "${as_root[@]}" rm -f "$policy"; fi
  rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Debian asks policy-rc.d before it starts a service (invoke-rc.d(8)); 101 = not allowed. An administrator's own stays.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  made_policy=yes
  "${as_root[@]}" chmod 755 "$policy"
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" \
    >>"$log" 2>&1
}
has_candidate() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }

refreshed=no
refresh() {
  echo "setup: reading the package lists (apt-get update)"
  refreshed=yes
  apt update
}
give_up() {
  tail -n 30 "$log" >&2
  echo "setup: apt-get failed; its last lines stand above" >&2
  exit 1
}

for package in "${missing[@]}"; do
  if ! has_candidate "$package"; then
    refresh || give_up
    break
  fi
done
echo "setup: installing ${#missing[@]} of ${#wanted[@]} packages: ${missing[*]}"
if ! apt install --no-install-recommends "${missing[@]}"; then
  # Lists that are older than the mirror name files that are gone: read them again, once.
  if [ "$refreshed" = yes ]; then give_up; fi
  refresh || give_up
  apt install --no-install-recommends "${missing[@]}" || give_up
fi
echo "setup: done"
