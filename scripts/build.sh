#!/usr/bin/env bash
# Configures and builds one preset. Usage: scripts/build.sh [PRESET [TARGET…]]; default: release, everything.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  echo "Usage: scripts/build.sh [PRESET [TARGET…]]   presets: dev release asan-ubsan tsan fuzz; OTARIA_JOBS sets the jobs"
  exit 0
fi
preset=${1:-release}
shift $(($# > 0 ? 1 : 0))
jobs=${OTARIA_JOBS:-$(build_jobs)}
cd "$otaria_root"

began=$SECONDS
configured=$(cmake --preset "$preset" 2>&1) || {
  printf '%s\n' "$configured" >&2
  exit 1
}
# Ninja prints one line per step; without a terminal only failures and a closing line are worth keeping.
if [ -t 1 ]; then
  ninja -C "build/$preset" -j "$jobs" "$@"
else
  ninja -C "build/$preset" -j "$jobs" --quiet "$@"
fi
echo "build: preset $preset is built ($(elapsed "$began"), $jobs jobs)"
