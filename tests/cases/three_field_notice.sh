# The brief's three-field notice is enough for a development device; its statuses then name no update
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(jq -cn --arg url "$(file_url plain new.bin)" --arg digest "$(digest_of "$work/files/new.bin")" \
  '{version: "1.4.0", url: $url, signature: $digest}')"
done_=$(wait_for_status sensor_A1B2 succeeded --target 1.4.0)
expect_equal "update member" "" "$(member "$done_" update)"
expect_states sensor_A1B2 "received downloading verifying installed rebooting trial succeeded"
expect_device_runs sensor_A1B2 1.4.0
