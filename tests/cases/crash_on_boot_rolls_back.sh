# Firmware that crashes on boot is rolled back, and reported as rolled back with its cause
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0 --fault crash-on-boot=1.4.0
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0 --wait
expect_contains "what the operator reads" boot_failed "$output"
outcome=$(wait_for_status sensor_A1B2 rolled_back --code boot_failed)
expect_equal "version that reports it" 1.3.0 "$(member "$outcome" version)"
tells_the_outcome() { [ "$(newest_state sensor_A1B2 | jq -r '"\(.version) \(.slot) \(.confirmed) \(.last.state)"')" = "1.3.0 ota_0 true rolled_back" ]; }
wait_until "$(within 10)" tells_the_outcome || fail "the state says $(newest_state sensor_A1B2)"
expect_device_runs sensor_A1B2 1.3.0
