# A real image goes from publish to confirmed, 1.3.0 to 1.4.0, and everybody agrees on it
# shellcheck shell=bash disable=SC2154
start_stack
real=$(firmware_dir)
if [ -n "$real" ]; then
  cp "$real/wled-s3-8mb/0.14.3.bin" "$work/factory-1.3.0.bin"
  cp "$real/wled-s3-8mb/0.14.4.bin" "$work/new.bin"
else
  make_image "$work/factory-1.3.0.bin" 1.3.0 --size 1369472
  make_image "$work/new.bin" 1.4.0 --size 1368016
fi
device sensor_A1B2 1.3.0
publish_release "$work/new.bin" 1.4.0

expect_exit 0 otaria update send sensor_A1B2 --release 1.4.0 --wait

# The device's word, as the observer heard it.
state=$(wait_for_state sensor_A1B2 online=true 'version="1.4.0"' confirmed=true)
expect_equal "slot in use" ota_1 "$(member "$state" slot)"
expect_equal "image in use" "$(digest_of "$work/new.bin")" "$(member "$state" image)"
expect_equal "last outcome" succeeded "$(member "$state" last.state)"
# The server's word.
known=$(api /devices/sensor_A1B2)
expect_equal "version the server knows" 1.4.0 "$(member "$known" version)"
expect_equal "confirmed at the server" true "$(member "$known" confirmed)"
update=$(api "/updates?device=sensor_A1B2" | jq -c '.items[0]')
expect_equal "state of the update" succeeded "$(member "$update" state)"
# The flash's word, and after one more start it is still so.
expect_device_runs sensor_A1B2 1.4.0
run_device sensor_A1B2
is_back() { [ "$(member "$(newest_state sensor_A1B2)" session)" -gt "$(member "$state" session)" ]; }
wait_until "$(within 20)" is_back || fail "the device did not come back"
expect_equal "version after one more start" "1.4.0 true" "$(newest_state sensor_A1B2 | jq -r '"\(.version) \(.confirmed)"')"
