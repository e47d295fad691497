# Two devices get their own notices and never each other's
# shellcheck shell=bash disable=SC2154
start_stack
make_image "$work/factory-1.3.0.bin" 1.3.0
device sensor_A1B2 1.3.0
device sensor_C3D4 1.3.0
make_image "$work/new.bin" 1.4.0
make_image "$work/newer.bin" 1.5.0
publish_release "$work/new.bin" 1.4.0
publish_release "$work/newer.bin" 1.5.0
first=$(offer sensor_A1B2 1.4.0)
second=$(offer sensor_C3D4 1.5.0)
wait_for_status sensor_A1B2 succeeded --update "$first" >/dev/null
wait_for_status sensor_C3D4 succeeded --update "$second" >/dev/null
expect_equal "statuses of C3D4 about A1B2's update" "" "$(states_of sensor_C3D4 --update "$first")"
expect_equal "statuses of A1B2 about C3D4's update" "" "$(states_of sensor_A1B2 --update "$second")"
# What each device's own log says it was told.
if grep -q "$second" "$work/sensor_A1B2.log"; then fail "sensor_A1B2 heard of the other's update"; fi
if grep -q "$first" "$work/sensor_C3D4.log"; then fail "sensor_C3D4 heard of the other's update"; fi
# And what the broker's log says each subscribed to.
subscriptions_of() { sed -nE "s/^[0-9]+: $1 [0-2] (.*)$/\1/p" "$work/broker.log" | sort -u; }
expect_equal "subscriptions of A1B2" sensor_A1B2/firmware/update "$(subscriptions_of sensor_A1B2)"
expect_equal "subscriptions of C3D4" sensor_C3D4/firmware/update "$(subscriptions_of sensor_C3D4)"
expect_device_runs sensor_A1B2 1.4.0
expect_device_runs sensor_C3D4 1.5.0
