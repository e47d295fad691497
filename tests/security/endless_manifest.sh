# A manifest of 4,097 bytes and one that never ends are broken off at the limit, and the device takes the honest one
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0 --retries 1 --retry-limit-ms 200
make_image "$work/files/new.bin" 1.4.0
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
cp "$work/files/$manifest" "$work/good.jws"

head -c "$((4097 - $(size_of "$work/good.jws")))" /dev/zero | tr '\0' '\n' >>"$work/files/$manifest"
expect_equal "size of the manifest" 4097 "$(size_of "$work/files/$manifest")"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="4097"')"
expect_refused sensor_A1B2 4097 bad_signature 1.3.0

cp "$work/good.jws" "$work/files/$manifest"
endless=$(signed_notice 1.4.0 new.bin "$manifest" 'update="endless"' "manifest=\"$(file_url endless "$manifest")\"")
send_notice sensor_A1B2 "$endless"
wait_for_status sensor_A1B2 refused --update endless >/dev/null
expect_equal "requests that were served without end" 0 "$(jq -s 'map(select(.whole and (.behaviours | index("endless")))) | length' "$served")"
expect_no_image_fetched
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="honest"')"
wait_for_status sensor_A1B2 succeeded --update honest >/dev/null
expect_device_runs sensor_A1B2 1.4.0
