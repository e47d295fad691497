# The server is killed in the middle of a download and started again: device and server both finish the update
# shellcheck shell=bash disable=SC2154
start_stack
provision sensor_A1B2 1.3.0
# A slow chip keeps the download running long enough to be hit.
run_device sensor_A1B2 --fault slow-flash=1
wait_for_state sensor_A1B2 online=true >/dev/null
make_image "$work/new.bin" 1.4.0 --size 3000000
publish_release "$work/new.bin" 1.4.0
update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 5 >/dev/null
kill_hard otariad
expect_equal "downloading when the server died" downloading "$(states_of sensor_A1B2 --update "$update" | awk '{print $NF}')"
sleep 1
start_server
wait_for_status sensor_A1B2 succeeded --update "$update" --timeout "$(within 90)" >/dev/null
server_knows_success() { [ "$(member "$(api "/updates/$update")" state)" = succeeded ]; }
wait_until "$(within 10)" server_knows_success || fail "the server says $(api "/updates/$update")"
expect_device_runs sensor_A1B2 1.4.0
