# A body longer than the notice says is never installed
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url overlong new.bin)" "$work/files/new.bin" 'update="overlong-1"')"
failed=$(wait_for_status sensor_A1B2 failed --update overlong-1)
expect_contains "code" "$(member "$failed" error.code)" "download_failed too_large digest_mismatch"
expect_device_runs sensor_A1B2 1.3.0
