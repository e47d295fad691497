# A server that cuts every answer short ends in download_failed, and the old version keeps running
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0 --retry-first-ms 2
make_image "$work/files/new.bin" 1.4.0 --size 100000
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url truncate new.bin)" "$work/files/new.bin" 'update="short-1"')"
failed=$(wait_for_status sensor_A1B2 failed --update short-1 --code download_failed)
[ "$(member "$failed" bytes)" -gt 50000 ] || fail "what was in hand is not told: $failed"
expect_device_runs sensor_A1B2 1.3.0
