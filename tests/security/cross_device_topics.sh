# With a device's genuine token nobody reads, writes or enters as another device: 0x80, dropped, CONNACK 5 by the real broker
# shellcheck shell=bash disable=SC2154,SC2016
start_production
registered_device sensor_A1B2 1.3.0
registered_program sensor_EEEE a4cf12e0eeee
registered_program sensor_C3D4 a4cf12e0c3d4
as_thief() { hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token" "$@"; }

# Reading: notices of others, wildcards of every shape, what only servers read, the broker's own topics.
reads=()
for topic in sensor_A1B2/firmware/update '+/firmware/update' '+/ota/notify' '#' '+/#' 'sensor_A1B2/#' 'sensor_EEEE/#' 'sensor_EEEE/+/update' \
  '$share/g/sensor_A1B2/firmware/update' '$share/g/#' '+/ota/status' sensor_A1B2/ota/state '$SYS/#' '$SYS/broker/version'; do
  reads+=(subscribe "$topic")
done
as_thief "${reads[@]}" subscribe sensor_EEEE/firmware/update >"$work/reads.out"
expect_equal "subscriptions that were granted" "subscribe sensor_EEEE/firmware/update 1" "$(grep subscribe "$work/reads.out" | grep -v ' 128$')"
expect_equal "subscriptions that were refused" $((${#reads[@]} / 2)) "$(grep -c ' 128$' "$work/reads.out")"

# Writing: another's words, retained or not, and notices, its own included. Then something of its own, behind which nothing is under way.
forged='{"id":"sensor_A1B2","version":"6.6.6","state":"received","update":"forged","target":"6.6.6","seq":4000000000}'
attacks=()
for topic in sensor_A1B2/ota/status sensor_A1B2/ota/state sensor_A1B2/telemetry sensor_A1B2/firmware/update sensor_C3D4/firmware/update \
  sensor_EEEE/firmware/update '$share/g/sensor_EEEE/ota/status' '$CONTROL/dynamic-security/v1'; do
  attacks+=(publish "$topic" "$forged" retain "$topic" "$forged")
done
own='{"id":"sensor_EEEE","version":"1.3.0","state":"received","update":"own","target":"1.4.0","seq":1}'
as_thief "${attacks[@]}" publish sensor_EEEE/ota/status "$own" >"$work/thief.out"
expect_equal "publications that were made" $((2 * 8 + 1)) "$(grep -c acknowledged "$work/thief.out")"
wait_for_status sensor_EEEE received --update own >/dev/null
expect_equal "forged messages that the observer saw" 0 "$(grep -c 'forged\|6\.6\.6' "$seen" || :)"
expect_equal "what waits for another device" "" \
  "$(hostile_mqtt sensor_C3D4 a4cf12e0c3d4 "$work/sensor_C3D4.token" subscribe sensor_C3D4/firmware/update listen 0.2 | grep message || :)"

# Entering: the client id, the user name, or both are the other's.
broker_refuses sensor_A1B2 a4cf12e0eeee "$work/sensor_EEEE.token"
broker_refuses sensor_EEEE a4cf12e0a1b2 "$work/sensor_EEEE.token"
broker_refuses sensor_A1B2 "$(cat "$work/sensor_A1B2.mac")" "$work/sensor_EEEE.token"
broker_refuses otariad-1 otariad-1 "$work/sensor_EEEE.token"

# Nobody noticed: the honest device stayed on line, heard of nothing, and takes an honest update.
expect_equal "connections of the honest device" 1 "$(jq -r 'select(.topic == "sensor_A1B2/ota/state") | .payload | fromjson | .session' "$seen" | sort -u | wc -l)"
expect_equal "states of the honest device" "" "$(states_of sensor_A1B2)"
takes_sent_update sensor_A1B2 1.4.0
