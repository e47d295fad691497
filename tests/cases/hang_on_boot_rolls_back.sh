# Firmware that hangs on boot is reset by the watchdog, rolled back and reported
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0 --fault hang-on-boot=1.4.0 --watchdog-seconds "$(within 2)"
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0 --wait
outcome=$(wait_for_status sensor_A1B2 rolled_back)
expect_equal "code" boot_failed "$(member "$outcome" error.code)"
expect_equal "version that reports it" 1.3.0 "$(member "$outcome" version)"
expect_device_runs sensor_A1B2 1.3.0
