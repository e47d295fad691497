#!/usr/bin/env bash
# The whole system on this machine: broker, server, three virtual ESP32-S3 devices, one real update from publish to confirmed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$otaria_root/scripts/lib/processes.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/demo.sh [--keep]

Installs what is missing, builds, then in a temporary directory and on free ports of 127.0.0.1: starts Mosquitto, otariad
and three virtual ESP32-S3 devices that run 1.3.0, publishes 1.4.0, sends the update, and checks by the server's registry and
by the flash files that every device runs and has confirmed it. Ends everything that it started.

  --keep   keep the directory (flash files, logs, server data) and print where it is

Images: two real ones from ../shared/firmware or $OTARIA_FIRMWARE_DIR when that folder is there, else built by `otaria image make`.
TEXT
}

keep=no
case "${1:-}" in
  "") ;;
  --keep) keep=yes ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*"; }
die() {
  echo "demo: $*" >&2
  exit 1
}

"$otaria_root/scripts/setup.sh"
"$otaria_root/scripts/build.sh" release "${otaria_programs[@]}"
bin=$otaria_root/build/release/bin
began=$SECONDS

work=$(mktemp -d -t otaria-demo.XXXXXX)
before_processes_end() {
  case "$1" in
    0) return ;;
    129 | 130 | 143)
      echo "demo: interrupted; ending what it started" >&2
      return
      ;;
  esac
  keep=yes
  echo "demo: failed (exit code $1); the last lines of each log:" >&2
  tail -n 5 "$work"/*.log >&2
}
after_processes_end() {
  if [ "$keep" = yes ]; then echo "demo: flash files, logs and server data lie in $work"; else rm -rf "$work"; fi
}
processes_begin "$work"

devices=(sensor_A1B2 sensor_C3D4 sensor_E5F6)
old=1.3.0
new=1.4.0

say "Images"
real=$(firmware_dir)
if [ -n "$real" ]; then
  old_image=$real/wled-s3-8mb/0.14.3.bin
  new_image=$real/wled-s3-8mb/0.14.4.bin
  echo "Two released ESP32-S3 firmwares, as their project published them; here they count as $old and $new."
else
  old_image=$work/sensor-$old.bin
  new_image=$work/sensor-$new.bin
  "$bin/otaria" image make "$old_image" --version "$old" --project sensor --size 1369472 >/dev/null
  "$bin/otaria" image make "$new_image" --version "$new" --project sensor --size 1368016 >/dev/null
  echo "Built by otaria image make: genuine header, segments, descriptor, checksum and appended SHA-256, no code."
fi
"$bin/otaria" image inspect "$new_image"

say "Broker and server"
broker_port=$(free_port)
start_broker broker "$broker_port" "$work/broker" || die "Mosquitto did not start"
http_port=$(free_port)
export OTARIA_SERVER=http://127.0.0.1:$http_port
spawn otariad "$bin/otariad" --data "$work/server" --http "127.0.0.1:$http_port" --mqtt "mqtt://127.0.0.1:$broker_port" \
  --public-url "$OTARIA_SERVER"
server_is_ready() { curl -sf -m 2 -o /dev/null "$OTARIA_SERVER/readyz"; }
wait_until 15 server_is_ready || die "otariad did not become ready"
export OTARIA_TOKEN_FILE=$work/server/bootstrap-token  # made at the first start: an admin's, mode 0600
echo "Mosquitto listens on 127.0.0.1:$broker_port, otariad on $OTARIA_SERVER."

say "Three virtual ESP32-S3 devices running $old"
for id in "${devices[@]}"; do
  "$bin/otaria-device" --flash "$work/$id.flash" --factory "$old_image" --id "$id" --development --product sensor \
    --app-version "$old" >>"$work/provision.log" 2>&1
  # About the speed of an ESP32-S3's flash and Wi-Fi, so that there is something to watch.
  spawn "$id" "$bin/otaria-device" --flash "$work/$id.flash" --mqtt "mqtt://127.0.0.1:$broker_port" --fault slow-flash=1
done
all_run() {  # VERSION
  "$bin/otaria" --json device list | jq -e --arg version "$1" --argjson count ${#devices[@]} \
    '[.items[] | select(.online and .confirmed and .version == $version)] | length == $count' >/dev/null
}
wait_until 20 all_run "$old" || die "the devices did not come online"
"$bin/otaria" device list

say "Publish $new"
"$bin/otaria" release publish "$new_image" --version "$new" --product sensor

say "Update ${#devices[@]} devices"
"$bin/otaria" update send "${devices[@]}" --release "$new" --wait

say "What the server's registry says, and what lies in the flash files"
wait_until 20 all_run "$new" || die "not every device says that it runs $new, confirmed"
registry=$("$bin/otaria" --json device list)
digest=$("$bin/generate_firmware_hash" "$new_image" | grep -oE '[0-9a-f]{64}' | head -n 1)
printf '%-12s  %-8s  %-6s  %-10s  %-6s  %-10s  %s\n' device version slot confirmed flash confirmed image
wrong=0
for id in "${devices[@]}"; do
  stop "$id"
  flash=$("$bin/otaria-device" --flash "$work/$id.flash" --info --json)
  row=$(jq -r --arg id "$id" --argjson flash "$flash" '.items[] | select(.id == $id) |
    [.id, .version, .slot, .confirmed, $flash.version, $flash.confirmed, (.image // "-")[0:16]] | @tsv' <<<"$registry")
  IFS=$'\t' read -r name version slot confirmed flash_version flash_confirmed image <<<"$row"
  printf '%-12s  %-8s  %-6s  %-10s  %-6s  %-10s  %s\n' "$name" "$version" "$slot" "$confirmed" "$flash_version" \
    "$flash_confirmed" "$image"
  if [ "$version $confirmed $flash_version $flash_confirmed $image" != "$new true $new true ${digest:0:16}" ]; then
    wrong=$((wrong + 1))
  fi
done
[ "$wrong" -eq 0 ] || die "$wrong of ${#devices[@]} devices do not run $new, confirmed"

printf '\n%d of %d devices run %s and have confirmed it (%s after the build).\n' ${#devices[@]} ${#devices[@]} "$new" "$(elapsed "$began")"
