# One command updates five devices, each reports its own end, one failure does not hide among successes
# shellcheck shell=bash disable=SC2154
start_stack
for id in sensor_0001 sensor_0002 sensor_0003 sensor_0004; do device "$id" 1.3.0; done
device sensor_0005 1.3.0 --fault self-test-fail=1.4.0
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
expect_exit 3 otaria update send sensor_0001 sensor_0002 sensor_0003 sensor_0004 sensor_0005 --release 1.4.0 --wait
for id in sensor_0001 sensor_0002 sensor_0003 sensor_0004; do expect_device_runs "$id" 1.4.0; done
expect_device_runs sensor_0005 1.3.0
