# 503 with Retry-After makes a device wait and come back, not fail
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url busy-2 new.bin)" "$work/files/new.bin" 'update="busy-1"')"
wait_for_status sensor_A1B2 succeeded --update busy-1 >/dev/null
expect_equal "answers" "503 503 200" "$(jq -rs 'map(.status) | join(" ")' "$served")"
expect_device_runs sensor_A1B2 1.4.0
