# A Content-Range that starts elsewhere is not written into the slot
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0 --retry-first-ms 20
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url break-150000+wrong-range new.bin)" "$work/files/new.bin" 'update="range-1"')"
outcome=$(observer wait --device sensor_A1B2 --update range-1 --state succeeded --state failed --timeout "$(within 60)") ||
  fail "no final state; states: $(states_of sensor_A1B2)"
# Whether it gives up or starts again from 0 is the device's choice; what it runs must be whole.
if [ "$(member "$outcome" state)" = succeeded ]; then
  expect_device_runs sensor_A1B2 1.4.0
  expect_equal "image in use" "$(digest_of "$work/files/new.bin")" "$(member "$(device_info sensor_A1B2)" image)"
else
  expect_contains "code" "$(member "$outcome" error.code)" "range_ignored download_failed"
  expect_device_runs sensor_A1B2 1.3.0
fi
