#!/usr/bin/env bash
# Proves the complete system on one machine: real Mosquitto, real otariad, real virtual devices, an independent observer.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

usage() {
  cat <<'TEXT'
Usage: test_ota_system.sh [--list] [--only NAME]… [--jobs N] [--keep]

  --list        names every case with its claim and runs none
  --only NAME   this case; may be repeated
  --jobs N      so many cases at a time (default: 3 per core; they wait most of the time)
  --keep        keep each case's directory (flash files, logs, what the observer saw)

Builds what is missing first. The last line reads "N passed, N failed".
TEXT
}

case_file() { find "$otaria_root/tests/cases" "$otaria_root/tests/security" -name "$1.sh"; }
claim_of() { sed -n '1s/^# *//p' "$(case_file "$1")"; }
all_cases() { find "$otaria_root/tests/cases" "$otaria_root/tests/security" -name '*.sh' -printf '%f\n' | sed 's/\.sh$//' | sort; }

only=()
jobs=$(($(nproc) * 3))
while [ $# -gt 0 ]; do
  case "$1" in
    --list)
      for name in $(all_cases); do printf '%-36s %s\n' "$name" "$(claim_of "$name")"; done
      exit 0
      ;;
    --only) only+=("${2:?--only needs a name}"); shift ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    --keep) export OTARIA_KEEP=1 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
if [ ${#only[@]} -eq 0 ]; then mapfile -t only < <(all_cases); fi
for name in "${only[@]}"; do
  [ -n "$(case_file "$name")" ] || {
    echo "no case $name; --list names them" >&2
    exit 2
  }
done

if [ -z "${OTARIA_BIN_DIR:-}" ]; then
  "$otaria_root/scripts/setup.sh"
  "$otaria_root/scripts/build.sh" release "${otaria_programs[@]}"
fi

reports=$(mktemp -d -t otaria-system-test.XXXXXX)
trap 'rm -rf "$reports"' EXIT
# One case: its line at once, its whole output when it failed.
run_one() {
  local name=$1 began=$SECONDS
  if "$otaria_root/tests/lib/run_case.sh" "$name" >"$reports/$name.log" 2>&1; then
    printf 'passed  %-36s %3d s  %s\n' "$name" $((SECONDS - began)) "$(claim_of "$name")"
    touch "$reports/$name.passed"
  else
    printf 'FAILED  %-36s %3d s  %s\n' "$name" $((SECONDS - began)) "$(claim_of "$name")"
    sed 's/^/        /' "$reports/$name.log"
  fi
  if [ "${OTARIA_KEEP:-}" = 1 ]; then grep ': kept ' "$reports/$name.log"; fi
  return 0
}
export -f run_one claim_of case_file
export otaria_root reports
# shellcheck disable=SC2016  # the inner shell expands $1
printf '%s\n' "${only[@]}" | xargs -P "$jobs" -I{} bash -c 'run_one "$1"' _ {}

passed=$(find "$reports" -name '*.passed' | wc -l)
echo "$passed passed, $((${#only[@]} - passed)) failed"
[ "$passed" -eq ${#only[@]} ]
