# An update withdrawn while its device is offline never reaches it
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
stop sensor_A1B2
wait_for_state sensor_A1B2 online=false >/dev/null
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
update=$(offer sensor_A1B2 1.4.0)
expect_exit 0 otaria update withdraw "$update"
retained_notice() { mosquitto_sub -h 127.0.0.1 -p "$broker_port" -t sensor_A1B2/firmware/update -W 1 2>/dev/null || [ $? -eq 27 ]; }
no_retained_notice() { [ -z "$(retained_notice)" ]; }
wait_until "$(within 10)" no_retained_notice || fail "the notice is still retained: $(retained_notice)"
run_device sensor_A1B2
# A second update is answered, so the first would have been by now.
make_image "$work/newer.bin" 1.5.0
publish_release "$work/newer.bin" 1.5.0
expect_exit 0 otaria update send sensor_A1B2 --release 1.5.0 --wait
expect_equal "statuses of the withdrawn update" "" "$(states_of sensor_A1B2 --update "$update")"
expect_device_runs sensor_A1B2 1.5.0
