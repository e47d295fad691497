# A body that breaks off is taken up where it broke, not fetched anew
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
size=$(size_of "$work/files/new.bin")
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url break-163840 new.bin)" "$work/files/new.bin" 'update="broken-1"')"
wait_for_status sensor_A1B2 succeeded --update broken-1 >/dev/null
expect_equal "requests" 2 "$(requests_served)"
second=$(sed -n 2p "$served")
expect_equal "status of the second answer" 206 "$(member "$second" status)"
expect_equal "bytes sent altogether" "$size" "$(bytes_served)"
expect_device_runs sensor_A1B2 1.4.0
