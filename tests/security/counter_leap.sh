# A thief who signs a security counter 257 higher cannot make honest updates look old: security_counter
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/evil.bin" 1.4.0
manifest=$(sign_release "$work/files/evil.bin" 1.4.0)
for counter in 257 4294967295; do
  forge_manifest "$signer" "$manifest" security_counter=$counter
  send_notice sensor_A1B2 "$(signed_notice 1.4.0 evil.bin "$manifest" "update=\"leap-$counter\"" force=true)"
  expect_refused sensor_A1B2 "leap-$counter" security_counter 1.3.0
done
expect_no_image_fetched
# 256 is the longest step that is honest.
takes_honest_update sensor_A1B2 1.4.1 --security-counter 256
