# A certificate of the right CA and host whose key is no pin of the key list is not heard: download_failed; the backup pin's key is
# shellcheck shell=bash disable=SC2154
use_tls
make_certificate backup 127.0.0.1
make_certificate rogue 127.0.0.1  # by the very CA that the device trusts: somebody has got at it
make_keys --pin "127.0.0.1=$(pin_of "$tls/server/server.pem")" --pin "127.0.0.1=$(pin_of "$tls/backup/server.pem")"
start_broker_and_observer
provision_production sensor_A1B2 1.3.0 --ca "$tls/ca.pem"
run_device sensor_A1B2 --retry-first-ms 2 --retries 3
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' 'mode="production"' >/dev/null

start_files rogue
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="rogue"')"
expect_refused sensor_A1B2 rogue download_failed 1.3.0
expect_contains "why, by the device's log" "none of the host's pins" "$(cat "$work/sensor_A1B2.log")"
# The newest key list may be asked for past the pins, since the roots have signed it: nothing else.
expect_equal "what the rogue was asked for" /keys.jws "$(jq -r .path "$served" | sort -u)"

# A list of strangers from there, with the rogue's pin, changes nothing.
for name in x y; do make_key root "$keys/root-$name.key"; done
key_tool keylist make --root "$keys/root-x.key" --root "$keys/root-y.key" --release "$signer" --threshold-root 2 --out "$keys/first.json" \
  --pin "127.0.0.1=$(pin_of "$tls/rogue/server.pem")" --pin "127.0.0.1=$(pin_of "$tls/backup/server.pem")"
jq -c '.serial = 2' "$keys/first.json" >"$keys/strangers.json"
key_tool keylist sign "$keys/strangers.json" --key "$keys/root-x.key" --out "$keys/strangers.jws"
key_tool keylist sign "$keys/strangers.jws" --key "$keys/root-y.key"
serve_list "$keys/strangers.jws" 2
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="strangers-list"')"
expect_refused sensor_A1B2 strangers-list download_failed 1.3.0
expect_equal "serial of the list in force" 1 "$(member "$(newest_state sensor_A1B2)" keys)"

start_files backup
takes_honest_update sensor_A1B2 1.4.1
