#!/usr/bin/env bash
# The whole system on this machine: broker, server, three virtual ESP32-S3 devices, one real update from publish to confirmed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$otaria_root/scripts/lib/processes.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/demo.sh [--keep]

Installs what is missing, builds, then in a temporary directory and on free ports of 127.0.0.1, in production mode: makes a CA,
root keys, a release key and a signed key list; starts otariad (HTTPS), Mosquitto (mqtts, with mosquitto_otaria.so) and three
virtual ESP32-S3 devices that run 1.3.0, trust that key list only and prove themselves by keys of their own; publishes 1.4.0
signed, sends the update, and checks by the server's registry and by the flash files that every device runs and has confirmed
it. Ends everything that it started.

  --keep   keep the directory (keys, flash files, logs, server data) and print where it is

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

say "Keys: three roots of which two sign, and a release key; the server gets none of them"
quietly() { "$@" >>"$work/keys.log" 2>&1 || die "$1 ${*:2:2}: $(tail -n 3 "$work/keys.log")"; }
(umask 077 && head -c 24 /dev/urandom | base64 >"$work/passphrase")
with_passphrase=(--passphrase-file "$work/passphrase")
roots=()
for root in a b c; do
  quietly "$bin/otaria" key create --role root --out "$work/root-$root.key" "${with_passphrase[@]}"
  roots+=(--root "$work/root-$root.key")
done
quietly "$bin/otaria" key create --role release --out "$work/release.key" "${with_passphrase[@]}"
quietly "$bin/otaria" keylist make "${roots[@]}" --release "$work/release.key" --out "$work/keys-1.json" "${with_passphrase[@]}"
quietly "$bin/otaria" keylist sign "$work/keys-1.json" --key "$work/root-a.key" "${with_passphrase[@]}"
quietly "$bin/otaria" keylist sign "$work/keys-1.jws" --key "$work/root-b.key" "${with_passphrase[@]}"
"$bin/otaria" keylist verify "$work/keys-1.jws"
quietly "$bin/otaria" cert ca --out "$work/tls"
quietly "$bin/otaria" cert server --ca "$work/tls" --host 127.0.0.1 --out "$work/tls/server"

say "Server and broker: HTTPS and mqtts only"
broker_port=$(free_port)
http_port=$(free_port)
export OTARIA_SERVER=https://127.0.0.1:$http_port OTARIA_CA_FILE=$work/tls/ca.pem
cat >"$work/otaria.toml" <<TOML
data = "$work/server"
public_url = "$OTARIA_SERVER"
[http]
listen = "127.0.0.1:$http_port"
certificate = "$work/tls/server/server.pem"
private_key = "$work/tls/server/server.key"
[mqtt]
url = "mqtts://127.0.0.1:$broker_port"
ca_file = "$OTARIA_CA_FILE"
token = "self"
TOML
spawn otariad "$bin/otariad" --config "$work/otaria.toml"
server_is_ready() { curl --cacert "$OTARIA_CA_FILE" -sf -m 2 -o /dev/null "$OTARIA_SERVER/readyz"; }
wait_until 15 server_is_ready || die "otariad did not become ready"
export OTARIA_TOKEN_FILE=$work/server/bootstrap-token  # made at the first start: an admin's, mode 0600
# The plugin reads the server's public keys from a file, so the server comes first.
broker_settings=("allow_anonymous false" "check_retain_source false" "max_packet_size 8192"
  "plugin $bin/mosquitto_otaria.so" "plugin_opt_issuer otaria" "plugin_opt_audience otaria"
  "plugin_opt_jwks $work/server/broker/jwks.json" "plugin_opt_denylist $work/server/broker/denied"
  "certfile $work/tls/server/server.pem" "keyfile $work/tls/server/server.key")
start_broker broker "$broker_port" "$work/broker" "${broker_settings[@]}" || die "Mosquitto did not start"
server_is_connected() {
  # The header from a file: an argument would stand in every process list.
  curl --cacert "$OTARIA_CA_FILE" -sf -m 2 -H @"$work/authorization" "$OTARIA_SERVER/api/v1/server" | jq -e .broker.connected
}
(umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$OTARIA_TOKEN_FILE")" >"$work/authorization")
wait_until 20 server_is_connected >/dev/null || die "otariad did not reach the broker"
"$bin/otaria" keylist publish "$work/keys-1.jws"
echo "otariad: $OTARIA_SERVER. Mosquitto: mqtts://127.0.0.1:$broker_port, where a device's token opens its own topics only."

say "Three virtual ESP32-S3 devices running $old, in production mode"
# Each makes its own key; the factory reads the public half and registers it.
echo id,mac,public_key,product,hardware >"$work/factory.csv"
for id in "${devices[@]}"; do
  "$bin/otaria-device" --flash "$work/$id.flash" --factory "$old_image" --id "$id" --product sensor --app-version "$old" \
    --keylist "$work/keys-1.jws" --ca "$OTARIA_CA_FILE" --server "$OTARIA_SERVER" >>"$work/provision.log" 2>&1 ||
    die "provisioning $id: $(tail -n 1 "$work/provision.log")"
  "$bin/otaria-device" --flash "$work/$id.flash" --info --json |
    jq -r '[.id, .mac, .public_key, .product, .hardware] | join(",")' >>"$work/factory.csv"
done
"$bin/otaria" device import "$work/factory.csv"
for id in "${devices[@]}"; do
  # About the speed of an ESP32-S3's flash and Wi-Fi, so that there is something to watch.
  spawn "$id" "$bin/otaria-device" --flash "$work/$id.flash" --mqtt "mqtts://127.0.0.1:$broker_port" --fault slow-flash=1
done
all_run() {  # VERSION
  "$bin/otaria" --json device list | jq -e --arg version "$1" --argjson count ${#devices[@]} \
    '[.items[] | select(.online and .confirmed and .version == $version)] | length == $count' >/dev/null
}
wait_until 20 all_run "$old" || die "the devices did not come online"
"$bin/otaria" device list

say "Publish $new, signed here with the release key"
"$bin/otaria" release publish "$new_image" --version "$new" --product sensor --key "$work/release.key" "${with_passphrase[@]}"

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
