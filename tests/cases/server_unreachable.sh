# A server that cannot be reached ends in refused, download_failed: nothing was fetched, nothing was touched
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
device sensor_A1B2 1.3.0 --retry-first-ms 2
make_image "$work/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "http://127.0.0.1:$(free_port)/new.bin" "$work/new.bin" 'update="nobody-1"')"
wait_for_status sensor_A1B2 refused --update nobody-1 --code download_failed >/dev/null
expect_device_runs sensor_A1B2 1.3.0
