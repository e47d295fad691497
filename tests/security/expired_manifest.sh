# A manifest that had expired before the device's key list was issued ends in manifest_expired, though the device has no clock
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0 --fault clock=unset
make_image "$work/files/old.bin" 1.4.0
manifest=$(sign_release "$work/files/old.bin" 1.4.0)
issued=$(payload_of "$list" | jq .issued)
forge_manifest "$signer" "$manifest" "issued=$((issued - 86400 * 400))" "expires=$((issued - 1))"
for force in false true; do
  send_notice sensor_A1B2 "$(signed_notice 1.4.0 old.bin "$manifest" "update=\"expired-$force\"" force=$force)"
  expect_refused sensor_A1B2 "expired-$force" manifest_expired 1.3.0
done
expect_no_image_fetched
takes_honest_update sensor_A1B2 1.4.1
