# A broker that keeps a notice from its device cannot hide it: the update is stale at its deadline; what the device runs is seen, and later it updates
# shellcheck shell=bash disable=SC2154
start_production '[deadlines]' 'offered = 3'
registered_device sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development
# The broker falls silent: it takes connections and bytes, and passes nothing on.
kill -STOP "${process_ids[broker]}"
update=$(offer sensor_A1B2 1.4.0)
update_state() { otaria --json update show "$update" | jq -r .state; }
is_stale() { [ "$(update_state)" = stale ]; }
wait_until "$(within 30)" is_stale || fail "the withheld update is not stale but $(update_state)"
expect_equal "version of the device by the server's registry" 1.3.0 "$(api /devices/sensor_A1B2 | jq -r .version)"
expect_exit 0 otaria update show "$update"
expect_contains "what the operator reads" stale "$output"
kill -CONT "${process_ids[broker]}"
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_device_runs sensor_A1B2 1.4.0
