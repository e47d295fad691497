# A Content-Range that starts elsewhere is not written into the slot: the device asks again
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url break-150000+wrong-range-3 new.bin)" "$work/files/new.bin" 'update="range-1"')"
wait_for_status sensor_A1B2 succeeded --update range-1 >/dev/null
expect_equal "answers" "200 206 206 206" "$(jq -rs 'map(.status) | join(" ")' "$served")"
expect_device_runs sensor_A1B2 1.4.0
expect_equal "image in use" "$(digest_of "$work/files/new.bin")" "$(member "$(device_info sensor_A1B2)" image)"
