# A server that falls silent in the middle of the body is left, and the download goes on where it was
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0 --stall-window-ms "$((1500 * time_factor))"
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url stall-163840 new.bin)" "$work/files/new.bin" 'update="stall-1"')"
wait_for_status sensor_A1B2 succeeded --update stall-1 >/dev/null
grep -q 'http: GET .* from byte 163840' "$work/sensor_A1B2.log" || fail "the device did not resume where the server fell silent"
expect_device_runs sensor_A1B2 1.4.0
