# A server that ignores Range makes the device start again from 0, and the update still succeeds
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url break-150000+ignore-range new.bin)" "$work/files/new.bin" 'update="norange-1"')"
wait_for_status sensor_A1B2 succeeded --update norange-1 >/dev/null
expect_equal "answers" "200 200" "$(jq -rs 'map(.status) | join(" ")' "$served")"
expect_device_runs sensor_A1B2 1.4.0
