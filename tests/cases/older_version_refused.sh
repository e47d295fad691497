# An older version is refused as not_newer, and not one byte of it is fetched
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/old.bin" 1.2.9
publish_release "$work/files/old.bin" 1.2.9
expect_exit 3 otaria update send sensor_A1B2 --release 1.2.9 --wait
expect_contains "what the operator reads" not_newer "$output"
refused=$(wait_for_status sensor_A1B2 refused --code not_newer)
expect_states sensor_A1B2 "received refused" --update "$(member "$refused" update)"

# The same straight from the broker; the file server would have seen a request.
send_notice sensor_A1B2 "$(notice 1.2.9 "$(file_url plain old.bin)" "$work/files/old.bin" 'update="older-2"')"
wait_for_status sensor_A1B2 refused --update older-2 --code not_newer >/dev/null
expect_equal "requests for the image" 0 "$(requests_served)"
expect_device_runs sensor_A1B2 1.3.0
