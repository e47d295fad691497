# Firmware that cannot reach the broker is rolled back when its trial ends, and reported as trial_timeout
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0 --fault no-network-in-trial=1.4.0 --trial-timeout "$(within 3)"
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0 --wait
outcome=$(wait_for_status sensor_A1B2 rolled_back)
expect_equal "code" trial_timeout "$(member "$outcome" error.code)"
expect_equal "version that reports it" 1.3.0 "$(member "$outcome" version)"
expect_device_runs sensor_A1B2 1.3.0
