# The device dies in the middle of a download and resumes without fetching the verified part again
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
size=$(size_of "$work/files/new.bin")
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url rate-100000 new.bin)" "$work/files/new.bin" 'update="cut-1"')"
before=$(wait_for_status sensor_A1B2 downloading --update cut-1 --at-least 40)
kill_hard sensor_A1B2
wait_until "$(within 10)" requests_served_at_least 1 || fail "the server did not notice that the device died"

run_device sensor_A1B2
wait_for_status sensor_A1B2 succeeded --update cut-1 >/dev/null
expect_equal "requests" 2 "$(requests_served)"
second=$(sed -n 2p "$served")
expect_equal "status of the second answer" 206 "$(member "$second" status)"
offset=$(member "$second" range | sed -nE 's/^bytes=([0-9]+)-$/\1/p')
# What is not verified when the power goes is at most what the journal had not yet noted: 64 KiB.
[ "$offset" -ge $(($(member "$before" bytes) - 65536)) ] || fail "resumed at $offset after reporting $(member "$before" bytes) bytes"
expect_equal "bytes of the second answer" $((size - offset)) "$(member "$second" sent)"
# The device says where it resumes.
resumed=$(observer statuses --device sensor_A1B2 --update cut-1 | jq -c 'select(.state == "downloading")' |
  jq -cs --argjson offset "$offset" 'map(select(.bytes == $offset)) | first')
[ "$resumed" != null ] || fail "no status names the resume point $offset"
expect_device_runs sensor_A1B2 1.4.0
