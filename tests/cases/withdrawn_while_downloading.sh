# An update withdrawn in the middle of its download ends failed, withdrawn, and the device keeps its version
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
update=$(offer_hosted sensor_A1B2 1.4.0 "$(file_url rate-80000 new.bin)" "$work/files/new.bin")
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 10 >/dev/null
expect_exit 0 otaria update withdraw "$update"
failed=$(wait_for_status sensor_A1B2 failed --update "$update" --code withdrawn)
[ "$(member "$failed" bytes)" -gt 0 ] || fail "a failed download does not say how far it came"
[ "$(bytes_served)" -lt "$(size_of "$work/files/new.bin")" ] || fail "the download went on to its end"
expect_device_runs sensor_A1B2 1.3.0
