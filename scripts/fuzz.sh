#!/usr/bin/env bash
# Fuzzes every parser that sees outside bytes, by libFuzzer under the address and undefined-behaviour sanitizers.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/fuzz.sh [--seconds N] [TARGET…]
       scripts/fuzz.sh --list

  TARGET       fuzz_notice or notice; without one: all of them
  --seconds N  for each target (60)
  --list       names the targets, with their seeds

Builds the targets (preset fuzz, clang) and runs as many at once as there are cores. What a run learns stays in
build/fuzz/fuzz/corpus and is where the next one begins; inputs that broke something lie in build/fuzz/fuzz/findings, logs in
build/fuzz/fuzz/logs. Exit code 1: something was found; the command that repeats it is printed.
TEXT
}

seconds=60
wanted=()
list=false
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds)
      seconds=${2:-}
      if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
        echo "fuzz: --seconds needs a whole number of seconds" >&2
        exit 2
      fi
      shift
      ;;
    --list) list=true ;;
    --help | -h) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) wanted+=("fuzz_${1#fuzz_}") ;;
  esac
  shift
done

cd "$otaria_root"
began=$SECONDS
build=build/fuzz
work=$build/fuzz
mkdir -p "$work/corpus" "$work/findings" "$work/logs"
cmake --preset fuzz >"$work/logs/configure.log" 2>&1 || {
  cat "$work/logs/configure.log"
  exit 1
}

# What cmake/OtariaFuzz.cmake wrote: "fuzz_NAME ARGUMENT… SEEDS…" a line.
declare -A arguments_of=()
while read -r target arguments; do arguments_of[$target]=$arguments; done <"$build/fuzz_targets.txt"
mapfile -t targets < <(printf '%s\n' "${!arguments_of[@]}" | sort)
if $list; then
  for target in "${targets[@]}"; do
    printf '%-24s' "$target"
    for argument in ${arguments_of[$target]}; do
      if [ "${argument:0:1}" != - ]; then printf ' %s' "${argument#"$otaria_root/"}"; fi
    done
    echo
  done
  exit 0
fi
for target in "${wanted[@]}"; do
  if [ -z "${arguments_of[$target]:-}" ]; then
    echo "fuzz: there is no target $target; scripts/fuzz.sh --list names them" >&2
    exit 2
  fi
done
if [ ${#wanted[@]} -gt 0 ]; then targets=("${wanted[@]}"); fi
./scripts/build.sh fuzz "${targets[@]}"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

# One target to its end; its log tells the rest.
fuzz_one() {
  local target=$1 arguments
  mkdir -p "$work/corpus/${target#fuzz_}"
  read -ra arguments <<<"${arguments_of[$target]}"
  # The corpus stands first: what is found to be new is written there.
  local options=() folders=()
  for argument in "${arguments[@]}"; do
    if [ "${argument:0:1}" = - ]; then options+=("$argument"); else folders+=("$argument"); fi
  done
  "$build/bin/$target" "${options[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/findings/${target#fuzz_}-" "$work/corpus/${target#fuzz_}" "${folders[@]}" \
    </dev/null >"$work/logs/$target.log" 2>&1
}

# The figure of a line "stat::NAME: FIGURE" of libFuzzer's last words; 0 where it did not come to them.
figure() { awk -v name="stat::$2:" '$1 == name { figure = $2 } END { print figure + 0 }' "$work/logs/$1.log"; }

failed=0
runs=0
# report TARGET EXIT_CODE
report() {
  local target=$1 code=$2 executed finding
  executed=$(figure "$target" number_of_executed_units)
  runs=$((runs + executed))
  if [ "$code" -eq 0 ]; then
    printf 'fuzz: %-22s %9d runs, %4d MB, nothing found\n' "$target" "$executed" "$(figure "$target" peak_rss_mb)"
    return
  fi
  failed=$((failed + 1))
  tail -n 60 "$work/logs/$target.log"
  finding=$(sed -nE 's/.*Test unit written to (.*)$/\1/p' "$work/logs/$target.log" | tail -n 1)
  echo "fuzz: $target FOUND something (exit code $code). Repeat it with: $build/bin/$target ${finding:-(no input was kept: see $work/logs/$target.log)}"
}

# As many at once as there are cores; whoever ends makes room for the next.
cores=$(nproc)
declare -A target_of=()
next=0
while [ "$next" -lt ${#targets[@]} ] || [ ${#target_of[@]} -gt 0 ]; do
  while [ "$next" -lt ${#targets[@]} ] && [ ${#target_of[@]} -lt "$cores" ]; do
    fuzz_one "${targets[$next]}" &
    target_of[$!]=${targets[$next]}
    next=$((next + 1))
  done
  code=0
  wait -n -p ended "${!target_of[@]}" || code=$?
  report "${target_of[$ended]}" "$code"
  unset "target_of[$ended]"
done

verdict="nothing found"
if [ "$failed" -ne 0 ]; then verdict="$failed of them FOUND something"; fi
echo "fuzz: ${#targets[@]} targets, $seconds s each, $runs runs, $verdict ($(elapsed "$began"))"
[ "$failed" -eq 0 ]
