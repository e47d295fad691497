# Firmware whose self-test fails is rolled back at once and reported as self_test_failed
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0 --fault self-test-fail=1.4.0
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0 --wait
outcome=$(wait_for_status sensor_A1B2 rolled_back --code self_test_failed)
expect_states sensor_A1B2 "received downloading verifying installed rebooting trial rolled_back" --update "$(member "$outcome" update)"
expect_device_runs sensor_A1B2 1.3.0
