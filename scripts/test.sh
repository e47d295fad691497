#!/usr/bin/env bash
# Installs what is needed, builds everything, runs every test. The last line reads "N passed, N failed".
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--unit | --system]

  (nothing)   set up, build, unit tests, house rules, tests beside programs and servers, 5 s of each fuzz target,
              whole-system tests
  --unit      set up, build, and the tests that start neither a server nor a program of ours
  --system    set up, build, and the whole-system tests only
TEXT
}

which=all
case "${1:-}" in
  "") ;;
  --unit) which=unit ;;
  --system) which=system ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

began=$SECONDS
cd "$otaria_root"
if ! { ./scripts/setup.sh && ./scripts/build.sh release; }; then
  echo "test: nothing was tested, the build failed"
  echo "0 passed, 1 failed"
  exit 1
fi

build=build/release
results=()
failures=0
# run NAME JOBS CTEST_SELECTION…
run() {
  local name=$1 jobs=$2 report=$otaria_root/$build/junit-$1.xml part=$SECONDS
  shift 2
  rm -f "$report"
  ctest --test-dir "$build" "$@" -j "$jobs" --output-on-failure --no-tests=error --output-junit "$report" </dev/null ||
    failures=$((failures + 1))
  results+=("$report")
  echo "test: $name tests took $(elapsed "$part")"
}

cores=$(nproc)
if [ "$which" != system ]; then run unit "$cores" -L unit; fi
# Whatever is left, so that a test without a label is not forgotten: those with a broker, otaria or otariad beside them.
if [ "$which" = all ]; then run programs "$cores" -LE 'unit|fuzz|system'; fi
if [ "$which" = all ]; then run fuzz "$cores" -L '^fuzz$'; fi
# Whole-system cases wait for brokers, downloads and time-outs most of the time: more of them than cores.
if [ "$which" != unit ]; then run system $((cores * 3)) -L system; fi

python3 scripts/lib/summarise_tests.py "${results[@]}" || failures=$((failures + 1))
echo "test: everything took $(elapsed "$began")"
python3 scripts/lib/summarise_tests.py --closing-line "${results[@]}" || failures=$((failures + 1))
[ "$failures" -eq 0 ]
