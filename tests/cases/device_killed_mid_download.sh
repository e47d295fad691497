# The device dies in the middle of a download and resumes without fetching the verified part again
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
size=$(size_of "$work/files/new.bin")
update=$(offer_hosted sensor_A1B2 1.4.0 "$(file_url rate-100000 new.bin)" "$work/files/new.bin")
before=$(wait_for_status sensor_A1B2 downloading --update "$update" --at-least 40)
kill_hard sensor_A1B2
wait_until "$(within 10)" requests_served_at_least 1 || fail "the server did not notice that the device died"

run_device sensor_A1B2
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_equal "requests" 2 "$(requests_served)"
second=$(sed -n 2p "$served")
expect_equal "status of the second answer" 206 "$(member "$second" status)"
offset=$(member "$second" range | sed -nE 's/^bytes=([0-9]+)-$/\1/p')
# The journal notes every 16 KiB: so much, and no more, a power cut may cost.
[ "$offset" -ge $(($(member "$before" bytes) - 16384)) ] || fail "resumed at $offset after reporting $(member "$before" bytes) bytes"
expect_equal "bytes of the second answer" $((size - offset)) "$(member "$second" sent)"
expect_contains "states" "downloading waiting downloading verifying" "$(states_of sensor_A1B2 --update "$update")"
# The device says where it resumes.
resumed=$(observer statuses --device sensor_A1B2 --update "$update" | jq -c 'select(.state == "downloading")' |
  jq -cs --argjson offset "$offset" 'map(select(.bytes == $offset)) | first')
[ "$resumed" != null ] || fail "no status names the resume point $offset"
expect_device_runs sensor_A1B2 1.4.0
