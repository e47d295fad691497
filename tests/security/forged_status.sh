# A status forged for another device is dropped by the real broker, one for another's update counts as nothing, and no end is undone
# shellcheck shell=bash disable=SC2154
start_production
registered_device sensor_A1B2 1.3.0 --fault veto-download=60
registered_program sensor_EEEE a4cf12e0eeee
as_thief() { hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token" "$@"; }
status() {  # ID UPDATE STATE SEQ
  printf '{"id":"%s","version":"1.3.0","update":"%s","target":"1.4.0","state":"%s","seq":%d}' "$@"
}
state() {  # ID MAC IMAGE SEQ
  printf '{"id":"%s","mac":"%s","online":true,"session":7,"product":"sensor","hardware":"esp32s3-8mb","version":"1.3.0","image":"%s","confirmed":true,"mode":"production","seq":%d}' "$@"
}
update_state() { otaria --json update show "$1" | jq -r .state; }
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development

# The honest device waits for its application; the thief tells the world that it has succeeded, and runs it.
update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 waiting --update "$update" >/dev/null
api /devices/sensor_A1B2 | jq -S 'del(.last_seen)' >"$work/before.json"
old_image=$(digest_of "$work/factory-1.3.0.bin")
new_image=$(digest_of "$work/new.bin")
as_thief publish sensor_A1B2/ota/status "$(status sensor_A1B2 "$update" succeeded 4000000000)" \
  retain sensor_A1B2/ota/state "$(state sensor_A1B2 "$(cat "$work/sensor_A1B2.mac")" "$new_image" 4000000001)" \
  retain sensor_EEEE/ota/state "$(state sensor_EEEE a4cf12e0eeee "$old_image" 1)" >/dev/null
wait_for_state sensor_EEEE online=true >/dev/null  # sent last: the forged ones would be here by now
expect_equal "messages of the thief in another's name" 0 "$(grep -c 400000000 "$seen" || :)"
as_thief publish sensor_EEEE/ota/status "$(status sensor_EEEE "$update" received 2)" \
  publish sensor_EEEE/ota/status "$(status sensor_EEEE "$update" succeeded 3)" \
  publish sensor_EEEE/ota/status "$(status sensor_EEEE 01JD8Z6T9K3M5Q7S9V1X3Z5B7D received 4)" \
  publish sensor_EEEE/ota/status "$(status sensor_EEEE 01JD8Z6T9K3M5Q7S9V1X3Z5B7D succeeded 5)" >/dev/null
# Under its own name: the other's update, and one that nobody ever sent.
wait_until "$(within 20)" metric_is_at_least unknown_updates_total 4 || fail "the server did not count the strangers' updates"
expect_equal "the other's update" waiting "$(update_state "$update")"
expect_equal "what the server knows of the other" "$(cat "$work/before.json")" "$(api /devices/sensor_A1B2 | jq -S 'del(.last_seen)')"

# About its own update it may lie, of its image too: the contradiction is counted, and what ended does not go on.
own=$(offer sensor_EEEE 1.4.0)
as_thief publish sensor_EEEE/ota/status "$(status sensor_EEEE "$own" received 6)" \
  publish sensor_EEEE/ota/status "$(status sensor_EEEE "$own" refused 7 | jq -c '.error = {code: "busy", detail: "no", hint: "no"}')" >/dev/null
refused() { [ "$(update_state "$own")" = refused ]; }
wait_until "$(within 20)" refused || fail "the update did not end as refused: $(update_state "$own")"
as_thief publish sensor_EEEE/ota/status "$(status sensor_EEEE "$own" succeeded 8)" >/dev/null
wait_until "$(within 20)" metric_is_at_least contradictions_total 1 || fail "the server did not see the contradiction"
expect_equal "an update that was refused" refused "$(update_state "$own")"

# The honest device's own word still counts. What the thief said of itself breaks the contract; its rules are for honest devices.
stop sensor_A1B2
run_device sensor_A1B2
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_device_runs sensor_A1B2 1.4.0
grep -v '"topic":"sensor_EEEE/' "$seen" >"$work/honest.jsonl"
seen=$work/honest.jsonl
