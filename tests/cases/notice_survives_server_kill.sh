# A notice that the server decided on is sent although the broker was away and the server was killed meanwhile
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
stop broker
update=$(offer sensor_A1B2 1.4.0)
kill_hard otariad
start_broker broker "$broker_port" "$work/broker" || fail "Mosquitto did not start again"
start_server
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_device_runs sensor_A1B2 1.4.0
