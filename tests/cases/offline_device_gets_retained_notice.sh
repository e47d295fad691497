# A device that is offline gets its notice when it comes back, and the will told that it was away
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
kill_hard sensor_A1B2
wait_for_state sensor_A1B2 online=false >/dev/null
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
update=$(offer sensor_A1B2 1.4.0)
expect_equal "state while the device is away" offered "$(member "$(api "/updates/$update")" state)"
expect_equal "statuses while it is away" "" "$(states_of sensor_A1B2)"
run_device sensor_A1B2
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_device_runs sensor_A1B2 1.4.0
