# generate_firmware_hash, firmware_server and send_ota_update do the whole job together, without otariad
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
device sensor_A1B2 1.3.0
mkdir "$work/firmware"
make_image "$work/firmware/firmware-1.4.0.bin" 1.4.0
hash=$("$bin/generate_firmware_hash" "$work/firmware/firmware-1.4.0.bin")
expect_contains "hash" "$(digest_of "$work/firmware/firmware-1.4.0.bin")" "$hash"
port=$(free_port)
spawn firmware_server "$bin/firmware_server" --port "$port" "$work/firmware"
wait_until "$(within 10)" port_answers "$port" || fail "firmware_server did not start: $(tail -n 3 "$work/firmware_server.log")"
"$bin/send_ota_update" 1.4.0 "http://127.0.0.1:$port/firmware/firmware-1.4.0.bin" --device sensor_A1B2 \
  --signature "$(digest_of "$work/firmware/firmware-1.4.0.bin")" --broker "$(broker_url)" \
  --server "http://127.0.0.1:$(free_port)" >"$work/send.log" 2>&1 || fail "send_ota_update: $(cat "$work/send.log")"
wait_for_status sensor_A1B2 succeeded --target 1.4.0 >/dev/null

# Without --signature it fetches the URL and hashes it.
make_image "$work/firmware/firmware-1.5.0.bin" 1.5.0
"$bin/send_ota_update" 1.5.0 "http://127.0.0.1:$port/firmware/firmware-1.5.0.bin" --device sensor_A1B2 \
  --broker "$(broker_url)" --server "http://127.0.0.1:$(free_port)" >"$work/send.log" 2>&1 || fail "send_ota_update: $(cat "$work/send.log")"
wait_for_status sensor_A1B2 succeeded --target 1.5.0 >/dev/null
expect_device_runs sensor_A1B2 1.5.0
