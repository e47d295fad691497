# A will on another device's topic is not sent; a device that goes silent without a will counts as offline all the same
# shellcheck shell=bash disable=SC2154
start_production
registered_device sensor_A1B2 1.3.0
registered_program sensor_EEEE a4cf12e0eeee
online() { api "/devices/$1" | jq -r .online; }
session=$(member "$(newest_state sensor_A1B2)" session)
own='{"id":"sensor_EEEE","version":"1.3.0","state":"received","update":"%s","target":"1.4.0","seq":%d}'
# With the very text of the other's own will, and with that of a later session.
for ahead in 0 1000; do
  forged="{\"id\":\"sensor_A1B2\",\"version\":\"1.3.0\",\"online\":false,\"session\":$((session + ahead))}"
  # shellcheck disable=SC2059
  hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token" --will sensor_A1B2/ota/state "$forged" \
    publish sensor_EEEE/ota/status "$(printf "$own" "before-$ahead" $((ahead + 1)))" cut >/dev/null
  closed() { grep -q "sensor_EEEE closed its connection" "$work/broker.log"; }
  wait_until "$(within 20)" closed || fail "the broker did not notice that the thief was gone"
  # shellcheck disable=SC2059
  hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token" \
    publish sensor_EEEE/ota/status "$(printf "$own" "after-$ahead" $((ahead + 2)))" >/dev/null
  wait_for_status sensor_EEEE received --update "after-$ahead" >/dev/null
done
offline_messages() { jq -r 'select(.topic == "sensor_A1B2/ota/state") | .payload | fromjson | select(.online == false) | .session' "$seen" | wc -l; }
expect_equal "wills for the honest device" 0 "$(offline_messages)"
expect_equal "what the server says of it" true "$(online sensor_A1B2)"

# Frozen: its connection stays, nobody says a word, and the broker sends no will for a long time.
stop otariad
printf '[presence]\nsilent_after = 3\n' >>"$work/otaria.toml"
start_server
kill -STOP "${process_ids[sensor_A1B2]}"
counts_as_offline() { [ "$(online sensor_A1B2)" = false ]; }
wait_until "$(within 20)" counts_as_offline || fail "a silent device still counts as online"
expect_equal "wills for the frozen device" 0 "$(offline_messages)"
kill -CONT "${process_ids[sensor_A1B2]}"
takes_sent_update sensor_A1B2 1.4.0
