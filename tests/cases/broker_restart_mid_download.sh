# The broker restarts in the middle of a download: the download goes on, and every state is told in the end
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
size=$(size_of "$work/files/new.bin")
# About four seconds of download.
update=$(offer_hosted sensor_A1B2 1.4.0 "$(file_url rate-100000 new.bin)" "$work/files/new.bin")
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 10 >/dev/null
restart_broker 1
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
# One request: a running download does not stop when MQTT drops.
expect_equal "requests" 1 "$(requests_served)"
expect_equal "bytes sent" "$size" "$(bytes_served)"
expect_states sensor_A1B2 "received downloading verifying installed rebooting trial succeeded" --update "$update"
# And the server came back too: a new update goes through it.
make_image "$work/newer.bin" 1.5.0
publish_release "$work/newer.bin" 1.5.0
expect_exit 0 otaria update send sensor_A1B2 --release 1.5.0 --wait
expect_device_runs sensor_A1B2 1.5.0
