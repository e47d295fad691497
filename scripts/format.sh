#!/usr/bin/env bash
# Formats every tracked C++ file by .clang-format. --check changes nothing and fails when a file would change.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
cd "$otaria_root"

case "${1:-}" in
  "" | --check) ;;
  *)
    echo "Usage: scripts/format.sh [--check]   formats every tracked C++ file; --check only tells whether one would change"
    case "$1" in --help | -h) exit 0 ;; *) exit 2 ;; esac
    ;;
esac

command -v clang-format >/dev/null || {
  echo "format: clang-format is missing; ./scripts/setup.sh --check installs it" >&2
  exit 1
}
mapfile -t files < <(git ls-files -- '*.cpp' '*.hpp' '*.c' '*.h')
if [ ${#files[@]} -eq 0 ]; then
  echo "format: no C++ files"
elif [ "${1:-}" = --check ]; then
  clang-format --dry-run --Werror "${files[@]}"
  echo "format: ${#files[@]} files are formatted"
else
  clang-format -i "${files[@]}"
  echo "format: ${#files[@]} files formatted, $(git diff --name-only -- "${files[@]}" | wc -l) differ from the last commit"
fi
