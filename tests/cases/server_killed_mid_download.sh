# The server is killed in the middle of a download and started again: device and server both finish the update
# shellcheck shell=bash disable=SC2154
start_stack
provision sensor_A1B2 1.3.0
# What the kernel has taken from the dead server still arrives: the image is larger than the socket buffers, and a slow
# chip leaves it waiting in them.
run_device sensor_A1B2 --fault slow-flash=0.2 --retry-limit-ms 500
wait_for_state sensor_A1B2 online=true >/dev/null
make_image "$work/new.bin" 1.4.0 --size 3300000
publish_release "$work/new.bin" 1.4.0
update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 5 >/dev/null
kill_hard otariad
# The device asks again, several times, and nobody is there.
asked_in_vain() { [ "$(grep -c 'waits before it asks again' "$work/sensor_A1B2.log")" -ge 3 ]; }
wait_until "$(within 30)" asked_in_vain || fail "the device did not miss the server"
expect_states sensor_A1B2 "received downloading" --update "$update"
start_server
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
grep -qE 'http: GET .* from byte [1-9]' "$work/sensor_A1B2.log" || fail "the device fetched everything anew"
server_knows_success() { [ "$(member "$(api "/updates/$update")" state)" = succeeded ]; }
wait_until "$(within 10)" server_knows_success || fail "the server says $(api "/updates/$update")"
expect_device_runs sensor_A1B2 1.4.0
