# A device with key list 2 never goes back to list 1: the key that list 2 dropped stays revoked
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
old=$list
production_device sensor_A1B2 1.3.0
make_key release "$keys/next.key"
key_tool key revoke "$(key_id "$signer")" --replace "$keys/next.key" --from "$list" --out "$keys/2.json"
sign_list "$keys/2"
serve_list "$keys/2.jws" 2
make_image "$work/files/honest.bin" 1.4.0 --size 100000
manifest=$(KEY=$keys/next.key LIST=$keys/2.jws sign_release "$work/files/honest.bin" 1.4.0)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 honest.bin "$manifest" 'update="honest"')"
wait_for_status sensor_A1B2 succeeded --update honest >/dev/null
wait_for_state sensor_A1B2 keys=2 'version="1.4.0"' confirmed=true >/dev/null

# A hostile server has every right signature of list 1, and shows it wherever a device asks. A key that nobody knows makes it ask.
cp "$old" "$work/files/keys.jws"
rm "$work/files/2.jws"
make_image "$work/files/evil.bin" 1.5.0
make_key release "$keys/stranger.key"
manifest=$(sign_release "$work/files/evil.bin" 1.5.0)
cp "$work/files/$manifest" "$work/stolen.jws"
forge_manifest "$keys/stranger.key" "$manifest"
asked() { jq -s 'map(select(.path == "/keys.jws")) | length' "$served"; }
before=$(asked)
send_notice sensor_A1B2 "$(signed_notice 1.5.0 evil.bin "$manifest" 'update="stranger"')"
expect_refused sensor_A1B2 stranger unknown_key 1.4.0
[ "$(asked)" -gt "$before" ] || fail "the device did not ask for a key list: the old one was not offered"
cp "$work/stolen.jws" "$work/files/$manifest"
send_notice sensor_A1B2 "$(signed_notice 1.5.0 evil.bin "$manifest" 'update="stolen"')"
expect_refused sensor_A1B2 stolen revoked_key 1.4.0
expect_equal "serial of the list in force" 2 "$(member "$(newest_state sensor_A1B2)" keys)"
signer=$keys/next.key
list=$keys/2.jws
takes_honest_update sensor_A1B2 1.5.1
