# A server that sends header lines without end, for a manifest or an image, is broken off: download_failed, and the device does not grow
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0 --retries 1 --retry-first-ms 2 --retry-limit-ms 20
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
resident_kib() { awk '/^VmRSS:/ {print $2}' "/proc/${process_ids[sensor_A1B2]}/status"; }
before=$(resident_kib)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="manifest"' "manifest=\"$(file_url endless-head "$manifest")\"")"
expect_refused sensor_A1B2 manifest download_failed 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="image"' "url=\"$(file_url endless-head new.bin)\"")"
expect_refused sensor_A1B2 image download_failed 1.3.0
grown=$(($(resident_kib) - before))
[ "$grown" -le $((16 * 1024 * time_factor)) ] || fail "the device grew by $grown KiB"
expect_equal "heads that were heard to their end" 0 "$(jq -s 'map(select(.whole and (.path | contains("endless-head")))) | length' "$served")"
takes_honest_update sensor_A1B2 1.4.1
