# A second device under a registered id is refused as id_conflict and gets no token; a state with another MAC is not taken over
# shellcheck shell=bash disable=SC2154
start_production
registered_device sensor_A1B2 1.3.0
registered_program sensor_EEEE a4cf12e0eeee

# The same id, another MAC and key: by the factory's list, and by a claim.
"$bin/otaria-device" --flash "$work/twin.flash" --factory "$work/factory-1.3.0.bin" --id sensor_A1B2 --mac 02000000a1b2 --keylist "$list" \
  --ca "$tls/ca.pem" --server "$(server_url)" --product sensor --app-version 1.3.0 >>"$work/provision.log" 2>&1 || fail "provisioning the twin"
device_info twin | jq -r '"id,mac,public_key\n" + ([.id, .mac, .public_key] | join(","))' >"$work/twin.csv"
expect_exit 3 otaria --json device import "$work/twin.csv"
expect_contains "what the factory is told" "belongs to a device with another MAC" "$output"
expect_equal "answer to a claim for both" "409 id_conflict" "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/authorization" \
  -H 'Content-Type: application/json' -d '{"devices":[{"mac":"02000000a1b2","id":"sensor_A1B2"}]}' "$(server_url)/api/v1/claims") $(jq -r .code "$work/body")"

spawn twin "$bin/otaria-device" --flash "$work/twin.flash" --mqtt "$(broker_url)" --retry-first-ms 100
asked_in_vain() { grep -q 403 "$work/twin.log"; }
wait_until "$(within 20)" asked_in_vain || fail "the twin was not refused a token: $(tail -n 5 "$work/twin.log")"
# Nor by the token of somebody else, nor by a state that says so.
broker_refuses sensor_A1B2 02000000a1b2 "$work/sensor_EEEE.token"
state='{"id":"sensor_EEEE","mac":"%s","online":true,"session":%d,"version":"%s","seq":%d}'
# shellcheck disable=SC2059
hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token" retain sensor_EEEE/ota/state "$(printf "$state" a4cf12e0eeee 1 1.3.0 1)" \
  retain sensor_EEEE/ota/state "$(printf "$state" 02000000a1b2 2 6.6.6 2)" >/dev/null
wait_until "$(within 20)" metric_is_at_least id_conflicts_total 1 || fail "the server did not count the second MAC"
keeps_the_first() { [ "$(api /devices/sensor_EEEE | jq -r '"\(.mac) \(.version)"')" = "a4cf12e0eeee 1.3.0" ]; }
wait_until "$(within 20)" keeps_the_first || fail "the server keeps: $(api /devices/sensor_EEEE)"

expect_equal "MACs that the observer saw under the id" "$(cat "$work/sensor_A1B2.mac")" \
  "$(jq -r 'select(.topic == "sensor_A1B2/ota/state") | .payload | fromjson | .mac // empty' "$seen" | sort -u)"
takes_sent_update sensor_A1B2 1.4.0
