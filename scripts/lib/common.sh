# Shared by the scripts: where things are, how many jobs the machine bears. Source it; it changes nothing else.
# shellcheck shell=bash

otaria_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Jobs for a build: one per core, but no more than memory bears (a Beast or nlohmann unit takes about 1.2 GB).
build_jobs() {
  local cores memory_kib by_memory
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  by_memory=$((memory_kib / 1258291))
  if [ "$by_memory" -lt 1 ]; then by_memory=1; fi
  if [ "$by_memory" -lt "$cores" ]; then echo "$by_memory"; else echo "$cores"; fi
}

# elapsed START_SECONDS: "1 min 05 s"
elapsed() {
  local seconds=$((SECONDS - $1))
  if [ "$seconds" -ge 60 ]; then printf '%d min %02d s' $((seconds / 60)) $((seconds % 60)); else printf '%d s' "$seconds"; fi
}

# The folder of real firmware images, or nothing: OTARIA_FIRMWARE_DIR, else ../shared/firmware beside the source tree.
firmware_dir() {
  local folder=${OTARIA_FIRMWARE_DIR:-$otaria_root/../shared/firmware}
  if [ -d "$folder" ]; then (cd "$folder" && pwd); fi
}

# Every program there is: what the demonstration and the whole-system tests start. The tests' own programs are not among them.
# shellcheck disable=SC2034  # read by the scripts that source this
otaria_programs=(otariad otaria otaria-device send_ota_update firmware_server generate_firmware_hash mosquitto_otaria)
