# A signed release below the confirmed security counter ends in security_counter, even when it is forced
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/fixed.bin" 1.4.0 --size 100000
fixed=$(sign_release "$work/files/fixed.bin" 1.4.0 --security-counter 5)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 fixed.bin "$fixed" 'update="fixed"')"
wait_for_status sensor_A1B2 succeeded --update fixed >/dev/null
wait_for_state sensor_A1B2 'version="1.4.0"' confirmed=true security_counter=5 >/dev/null

# Older and newer by its version: the hole is in both.
for version in 1.3.9 1.4.9; do
  make_image "$work/files/$version.bin" "$version"
  manifest=$(sign_release "$work/files/$version.bin" "$version" --security-counter 4)
  send_notice sensor_A1B2 "$(signed_notice "$version" "$version.bin" "$manifest" "update=\"below-${version//./-}\"" force=true)"
  expect_refused sensor_A1B2 "below-${version//./-}" security_counter 1.4.0
done
expect_equal "images fetched" fixed.bin "$(jq -r '.path | select(endswith(".bin")) | split("/")[2]' "$served" | sort -u)"
takes_honest_update sensor_A1B2 1.5.0 --security-counter 5
