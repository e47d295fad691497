# A notice that cannot be read is answered once, received and refused with bad_notice, and changes nothing
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
device sensor_A1B2 1.3.0
send_notice sensor_A1B2 '{"version":"1.4.0","url":'
wait_for_status sensor_A1B2 refused --code bad_notice >/dev/null
expect_states sensor_A1B2 "received refused"
# The same again, as a broker would repeat it: no second answer. A different one is answered.
send_notice sensor_A1B2 '{"version":"1.4.0","url":'
send_notice sensor_A1B2 '{"version":"one","url":"http://127.0.0.1/x","signature":"00"}'
wait_for_status sensor_A1B2 refused --code bad_notice --count 2 >/dev/null
expect_states sensor_A1B2 "received refused received refused"
expect_device_runs sensor_A1B2 1.3.0
