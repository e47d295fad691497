#!/usr/bin/env bash
# Runs one case of tests/cases or tests/security in a directory of its own: run_case.sh NAME. OTARIA_KEEP=1 keeps that directory.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/case.sh"

readonly case_name=$1
case_file=$otaria_root/tests/cases/$case_name.sh
[ -f "$case_file" ] || case_file=$otaria_root/tests/security/$case_name.sh
[ -f "$case_file" ] || {
  echo "no case $case_name; ./tests/test_ota_system.sh --list names them" >&2
  exit 2
}
work=$(mktemp -d -t "otaria-$case_name.XXXXXX")
output=
finished=no

before_processes_end() {
  [ "$1" -eq 0 ] && [ "$finished" = yes ] && return
  echo "--- $case_name: what the observer saw last" >&2
  [ -z "$seen" ] || tail -n 12 "$seen" | cut -c1-600 >&2
  for log in "$work"/*.log; do
    [ -s "$log" ] || continue
    echo "--- $case_name: $(basename "$log")" >&2
    tail -n 25 "$log" | cut -c1-300 >&2
  done
}
after_processes_end() {
  if [ "${OTARIA_KEEP:-}" = 1 ]; then echo "$case_name: kept $work"; else rm -rf "$work"; fi
}
processes_begin "$work"

# shellcheck source=/dev/null
. "$case_file"

# Rules that hold in every case, whatever it is about.
if [ -n "$seen" ]; then
  violations=$(observer check --schema-dir "$otaria_root/contract/schema") || fail "the observer saw what must not be: $violations"
fi
finished=yes
echo "ok: $case_name"
