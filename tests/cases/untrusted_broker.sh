# A broker whose certificate does not hold hears nothing from device and server; both go on, and are there when it is right
# shellcheck shell=bash disable=SC2154
use_tls
start_stack
device sensor_A1B2 1.3.0
"$bin/otaria" cert ca --out "$tls/other" >>"$work/cert.log"
make_certificate another_ca 127.0.0.1 "$tls/other"

right=("${broker_tls[@]}")
broker_tls=("certfile $tls/another_ca/server.pem" "keyfile $tls/another_ca/server.key")
lines=$(wc -l <"$work/broker.log")
restart_broker
# Each of the two is turned away by what it is shown: the broker logs the alert.
both_were_there() { [ "$(tail -n +"$lines" "$work/broker.log" | grep -ciE 'alert|unknown ca|certificate')" -ge 3 ]; }
wait_until "$(within 30)" both_were_there || fail "nobody tried to connect"
connected_clients() { tail -n +"$((lines + 1))" "$work/broker.log" | grep -c ' as sensor_A1B2 \| as otariad-1 ' || :; }
expect_equal "clients of the false broker" 0 "$(connected_clients)"
is_running sensor_A1B2 || fail "the device ended"
expect_equal "the server still serves" false "$(api /server | jq -r .broker.connected)"

broker_tls=("${right[@]}")
lines=$(wc -l <"$work/broker.log")
restart_broker
# Told by the broker: the observer, mosquitto_sub, gives up for good after a handshake that failed.
both_are_back() { [ "$(connected_clients)" -ge 2 ]; }
wait_until "$(within 60)" both_are_back || fail "device and server did not come back"
server_is_back() { [ "$(api /server | jq -r .broker.connected)" = true ]; }
wait_until "$(within 60)" server_is_back || fail "the server does not know that the broker is back"
