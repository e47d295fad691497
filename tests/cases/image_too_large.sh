# An image larger than the slot is refused by its size alone, by the device and before that by the server
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/huge.bin" 1.4.0 --size 3400000
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain huge.bin)" "$work/files/huge.bin" 'update="huge-1"')"
wait_for_status sensor_A1B2 refused --update huge-1 --code too_large >/dev/null
expect_equal "requests for the image" 0 "$(requests_served)"

publish_release "$work/files/huge.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0
expect_contains "what the operator reads" too_large "$output"
expect_device_runs sensor_A1B2 1.3.0
