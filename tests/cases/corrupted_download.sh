# One wrong byte in the download ends in digest_mismatch, and the old version keeps running
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url corrupt new.bin)" "$work/files/new.bin" 'update="corrupt-1"')"
failed=$(wait_for_status sensor_A1B2 failed --update corrupt-1 --code digest_mismatch)
expect_equal "version that reports it" 1.3.0 "$(member "$failed" version)"
expect_states sensor_A1B2 "received downloading verifying failed" --update corrupt-1
stop sensor_A1B2
info=$(device_info sensor_A1B2)
expect_equal "slot selected" ota_0 "$(member "$info" slot)"
expect_equal "version" 1.3.0 "$(member "$info" version)"
# The device is not stuck on it: the good file under a new update id installs.
run_device sensor_A1B2
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain new.bin)" "$work/files/new.bin" 'update="corrupt-2"')"
wait_for_status sensor_A1B2 succeeded --update corrupt-2 >/dev/null
expect_device_runs sensor_A1B2 1.4.0
