# An older version that is forced installs, is confirmed, and says so
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
make_image "$work/old.bin" 1.2.9
publish_release "$work/old.bin" 1.2.9
expect_exit 0 otaria update send sensor_A1B2 --release 1.2.9 --force --wait
wait_for_state sensor_A1B2 online=true 'version="1.2.9"' confirmed=true >/dev/null
expect_device_runs sensor_A1B2 1.2.9
