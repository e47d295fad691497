#!/usr/bin/env bash
# The slow checks: sanitizers, clang-tidy, fuzzing, format, house rules. Every step runs; the summary tells each one's end.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/check.sh [STEP…]

  format            every C++ file stands as clang-format puts it
  scripts           shellcheck over every shell script
  asan-ubsan        all tests under the address and undefined-behaviour sanitizers
  asan-ubsan-unit   the same, without the whole-system tests and the fuzz targets (what .ci/run does)
  tsan              under the thread sanitizer: the same, without those that start other programs' servers
  tidy              clang-tidy over every translation unit of ours that changed since it was read clean
                    (OTARIA_TIDY_FRESH=1: over every one)
  fuzz              each libFuzzer target for OTARIA_FUZZ_SECONDS (60)

Without STEP: all but asan-ubsan-unit. Logs: build/check/STEP.log
TEXT
}

all_steps=(format scripts asan-ubsan tsan tidy fuzz)
steps=()
for argument in "$@"; do
  case "$argument" in
    format | scripts | asan-ubsan | asan-ubsan-unit | tsan | tidy | fuzz) steps+=("$argument") ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [ ${#steps[@]} -eq 0 ]; then steps=("${all_steps[@]}"); fi

cd "$otaria_root"
cores=$(nproc)
logs=build/check
mkdir -p "$logs"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
# The sanitizers slow programs down; cases that wait for one wait this many times as long.
export OTARIA_TIME_FACTOR=4

step_format() { ./scripts/format.sh --check; }

step_scripts() {
  mapfile -t files < <(git ls-files -- '*.sh' .ci/run)
  shellcheck "${files[@]}"
  echo "scripts: ${#files[@]} files are clean"
}

# test_preset PRESET CTEST_SELECTION…
test_preset() {
  local preset=$1
  shift
  ./scripts/build.sh "$preset"
  ctest --test-dir "build/$preset" -j "$cores" --output-on-failure --no-tests=error --timeout 600 "$@" </dev/null
}
step_asan-ubsan() { test_preset asan-ubsan; }
step_asan-ubsan-unit() { test_preset asan-ubsan -LE 'system|fuzz'; }
# The label "servers" marks scripts around whole servers: half of those are not built with the sanitizer, and waiting for
# them under it proves nothing about threads of ours. "programs" stays in: there our threads run in the test itself.
step_tsan() { test_preset tsan -LE 'system|servers|fuzz'; }

step_tidy() {
  # Its own configuration: clang cannot read GCC's precompiled headers, and the compile database must not name ccache.
  cmake --preset dev -B build/tidy -DOTARIA_CCACHE=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ >build/check/tidy-configure.log
  # Sources that the build generates must lie there before anything can be parsed.
  if ninja -C build/tidy -t targets all | grep -q '^generated:'; then ninja -C build/tidy generated; fi
  local arguments=(build/tidy --jobs "$cores")
  if [ -n "${OTARIA_TIDY_FRESH:-}" ]; then arguments+=(--no-record); fi
  python3 scripts/lib/tidy.py "${arguments[@]}"
}

step_fuzz() { ./scripts/fuzz.sh --seconds "${OTARIA_FUZZ_SECONDS:-60}"; }

./scripts/setup.sh --check

failed=0
summary=()
for step in "${steps[@]}"; do
  echo "check: $step …"
  began=$SECONDS
  # A subshell with its own -e: in `if step_x; then` bash would ignore -e inside the function.
  set +e
  (
    set -e
    "step_$step"
  ) >"$logs/$step.log" 2>&1
  code=$?
  set -e
  if [ "$code" -eq 0 ]; then
    verdict=ok
  else
    verdict=FAILED
    failed=$((failed + 1))
    tail -n 40 "$logs/$step.log"
  fi
  summary+=("$(printf '%-16s %-7s %-14s %s' "$step" "$verdict" "$(elapsed "$began")" "$(tail -n 1 "$logs/$step.log" | cut -c1-90)")")
done

echo "check: summary (step, end, time, last line of its log)"
printf '  %s\n' "${summary[@]}"
if [ "$failed" -ne 0 ]; then
  echo "check: $failed of ${#steps[@]} steps failed; logs lie in $logs"
  exit 1
fi
echo "check: all ${#steps[@]} steps are clean"
