# What a stolen release key signs ends in revoked_key once two roots have signed a list without it
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_key release "$keys/next.key"
key_tool key revoke "$(key_id "$signer")" --replace "$keys/next.key" --from "$list" --floor sensor=4 --out "$keys/2.json"
sign_list "$keys/2"
serve_list "$keys/2.jws" 2

# The device learns of the list by the first manifest that its new key has signed.
make_image "$work/files/honest.bin" 1.4.0 --size 100000
manifest=$(KEY=$keys/next.key LIST=$keys/2.jws sign_release "$work/files/honest.bin" 1.4.0 --security-counter 4)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 honest.bin "$manifest" 'update="honest"')"
wait_for_status sensor_A1B2 succeeded --update honest >/dev/null
wait_for_state sensor_A1B2 keys=2 'version="1.4.0"' confirmed=true >/dev/null

make_image "$work/files/evil.bin" 1.5.0
manifest=$(sign_release "$work/files/evil.bin" 1.5.0 --security-counter 9)
for force in false true; do
  send_notice sensor_A1B2 "$(signed_notice 1.5.0 evil.bin "$manifest" "update=\"stolen-$force\"" force=$force)"
  expect_refused sensor_A1B2 "stolen-$force" revoked_key 1.4.0
done
expect_equal "requests for the thief's image" 0 "$(jq -s 'map(select(.path | endswith("evil.bin"))) | length' "$served")"
signer=$keys/next.key
list=$keys/2.jws
takes_honest_update sensor_A1B2 1.5.1 --security-counter 4
