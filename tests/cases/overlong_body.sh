# A body longer than the notice says is never installed
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url overlong new.bin)" "$work/files/new.bin" 'update="overlong-1"')"
wait_for_status sensor_A1B2 failed --update overlong-1 --code too_large >/dev/null
# Nobody told the size: then the digest gives it away.
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url overlong new.bin)" "$work/files/new.bin" 'update="overlong-2"' size=null)"
wait_for_status sensor_A1B2 failed --update overlong-2 --code digest_mismatch >/dev/null
expect_device_runs sensor_A1B2 1.3.0
