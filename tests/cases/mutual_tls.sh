# Broker and server ask for certificates: a device that was provisioned with one is updated, one without never gets in
# shellcheck shell=bash disable=SC2154
use_tls
client_certificate() {  # COMMON NAME: NAME.pem and NAME.key in $tls
  "$bin/otaria" cert client --ca "$tls" --name "$1" --out "$tls" >>"$work/cert.log" 2>&1 || fail "no certificate for $1"
}
mac=0210a4cfa1b2  # a certificate's name is the MAC, which is the device's user name too
for who in observer otariad-1 $mac; do client_certificate "$who"; done
broker_tls+=("cafile $tls/ca.pem" "require_certificate true")
mqtt_tls+=(--cert "$tls/observer.pem" --key "$tls/observer.key")
http_tls+=(--cert "$tls/observer.pem" --key "$tls/observer.key")
settings() {  # optional or required
  cat >"$work/otaria.toml" <<TOML
[mqtt]
ca_file = "$tls/ca.pem"
certificate = "$tls/otariad-1.pem"
private_key = "$tls/otariad-1.key"
[http]
client_ca = "$tls/ca.pem"
client_certificates = "$1"
TOML
}
settings optional
start_stack
make_image "$work/new.bin" 1.4.0 --size 200000
publish_release "$work/new.bin" 1.4.0

# From here on the server speaks to nobody without a certificate either: curl shows the observer's.
stop otariad
settings required
start_server
expect_equal "curl without a certificate" 56 "$(curl --cacert "$tls/ca.pem" -s -o /dev/null "$(server_url)/healthz"; echo $?)"

provision sensor_A1B2 1.3.0 --mac "$mac" --client-certificate "$tls/$mac.pem" --client-key "$tls/$mac.key"
run_device sensor_A1B2
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' >/dev/null
curl "${http_tls[@]}" -sS --fail-with-body -m 10 -H @"$work/authorization" -H 'Content-Type: application/json' \
  -d '{"devices":["sensor_A1B2"],"release":"1.4.0"}' "$(server_url)/api/v1/updates" >"$work/update.json" || fail "the update was not taken"
wait_for_status sensor_A1B2 succeeded --update "$(jq -er '.items[0].id' "$work/update.json")" >/dev/null
offered=$(grep -o '"url":"[^"]*' "$work/sensor_A1B2.log" | head -n 1)
expect_contains "what the device was offered" "https://127.0.0.1:$http_port/firmware/" "$offered"
expect_device_runs sensor_A1B2 1.4.0

# The same CA, the right server, and nothing to show.
provision sensor_C3D4 1.3.0
lines=$(wc -l <"$work/broker.log")
run_device sensor_C3D4 --reconnect-limit-ms 1000
turned_away() { tail -n +"$((lines + 1))" "$work/broker.log" | grep -qi "did not return a certificate"; }
wait_until "$(within 20)" turned_away || fail "the broker did not ask for a certificate"
expect_equal "what a device without certificate published" "" "$(jq -r 'select(.topic | startswith("sensor_C3D4")) | .topic' "$seen")"
is_running sensor_C3D4 || fail "the device ended"

# A key that others can read, or that is another's, is not taken.
chmod 644 "$tls/observer.key"
make_flags=(--flash "$work/x.flash" --factory "$work/factory-1.3.0.bin" --development --client-certificate "$tls/observer.pem")
expect_exit 2 "$bin/otaria-device" "${make_flags[@]}" --client-key "$tls/observer.key"
expect_contains "what it says" "chmod 600" "$output"
expect_exit 2 "$bin/otaria-device" "${make_flags[@]}" --client-key "$tls/$mac.key"
expect_contains "what it says" "does not belong to the certificate" "$output"
