#!/usr/bin/env bash
# Measures what the device modules weigh and writes docs/footprint.md. --check fails when the page is out of date.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
cd "$otaria_root"

case "${1:-}" in
  "" | --check) ;;
  *)
    echo "Usage: scripts/footprint.sh [--check]   writes docs/footprint.md; --check only tells whether it is out of date"
    case "$1" in --help | -h) exit 0 ;; *) exit 2 ;; esac
    ;;
esac

page=docs/footprint.md
build=build/release
modules=$build/device_modules.txt  # "name archive", written by CMake for every ota_module(… DEVICE)

cmake --preset release >/dev/null
case "$(c++ --version)" in
  *Free\ Software*) ;;
  *) echo "footprint: c++ is not GCC: the page would not compare with the one before" >&2; exit 1 ;;
esac
mapfile -t names < <(cut -d' ' -f1 "$modules")
ninja -C "$build" -j "${OTARIA_JOBS:-$(build_jobs)}" --quiet "${names[@]}"
c++ -std=c++20 -I. scripts/lib/agent_size.cpp -o "$build/agent_size"

rows() {
  local name archive
  while read -r name archive; do
    size -t "$archive" | awk -v name="$name" '/\(TOTALS\)/ {print $1, $2, $3, name}'
  done <"$modules" | sort -k1,1nr
}

write_page() {
  local compiler
  compiler="GCC $(c++ -dumpfullversion)"
  cat <<TEXT
# Footprint of the device modules

Written by \`./scripts/footprint.sh\`, not by hand. Each module of \`device/\` that runs on the chip, compiled for the host
(x86-64, $compiler) with \`-Os -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections\`,
asserts on; then \`size -t ARCHIVE\` of each archive, in bytes. A linker drops what is not called, and the chip has another
instruction set: the figures show a trend, not the size on the chip.

| module | text | data | bss |
|---|---:|---:|---:|
TEXT
  rows | awk '{printf "| %s | %d | %d | %d |\n", $4, $1, $2, $3; t += $1; d += $2; b += $3}
              END {printf "| **all** | **%d** | **%d** | **%d** |\n", t, d, b}'
  cat <<'TEXT'

## Static RAM of the agent

All state of the agent is one object; nothing is taken from a heap. `sizeof` on the host, where pointers are 8 bytes (on the chip
4). The bars are 6,144 bytes for the agent with its 1,024-byte message buffer and 512-byte transfer buffer, and 4,096 for what
verification adds; `device/agent/agent.hpp` asserts both. Rows overlap: the ledger is whole in its row.

| what | bytes |
|---|---:|
TEXT
  "$build/agent_size" | awk '{bytes = $NF; $NF = ""; sub(/ +$/, ""); printf "| %s | %d |\n", $0, bytes}'
  cat <<'TEXT'

## Verification: heap and stack

Not measured by this script. On x86-64 with Mbed TLS 2.28: PSA takes at most about 3.9 KB of heap while it verifies one ES256 signature
and gives all of it back; the bar is 8 KB, and `device_verify_heap` fails above it or when a byte is left. With `OTARIA_DEVICE_PS256` an
RSA-3072 signature takes 7.4 KB of it (`device_verify_ps256_heap`), and the module a few hundred bytes of text more. Painted stack: 3.9 KB for
one signature, 6.3 KB for a manifest judged by its key list, 7.2 KB for a key list that comes into force.
TEXT
}

if [ "${1:-}" = --check ]; then
  write_page | diff -u "$page" - || {
    echo "footprint: $page is out of date; ./scripts/footprint.sh writes it anew" >&2
    exit 1
  }
else
  write_page >"$page.new"
  mv "$page.new" "$page"
fi
sed -n "/^|/p" "$page"
