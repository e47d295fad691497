# The observer sees every state of an update in its order, progress from 0 to 100, seq rising, presence told truly
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 900000
publish_release "$work/new.bin" 1.4.0
update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
wait_for_state sensor_A1B2 online=true confirmed=true 'version="1.4.0"' >/dev/null

expect_states sensor_A1B2 "received downloading verifying installed rebooting trial succeeded" --update "$update"
downloading=$(observer statuses --device sensor_A1B2 --update "$update" | jq -c 'select(.state == "downloading")')
expect_equal "first progress" 0 "$(head -n 1 <<<"$downloading" | jq .progress)"
expect_equal "last progress" 100 "$(tail -n 1 <<<"$downloading" | jq .progress)"
expect_equal "total" "$(size_of "$work/new.bin")" "$(tail -n 1 <<<"$downloading" | jq .total)"
expect_equal "version in every status before the restart" 1.3.0 "$(jq -rs 'map(.version) | unique | join(" ")' <<<"$downloading")"
# Before a planned restart the device itself says that it leaves, with the session it leaves.
left=$(wait_for_state sensor_A1B2 online=false)
expect_equal "members of the farewell" "id online session version" "$(jq -r 'keys | join(" ")' <<<"$left")"
trial=$(wait_for_state sensor_A1B2 online=true confirmed=false 'version="1.4.0"')
[ "$(member "$trial" session)" -gt "$(member "$left" session)" ] || fail "the trial's session does not follow the farewell's"
# The server's history is what the observer saw.
expect_equal "history at the server" "received downloading verifying installed rebooting trial succeeded" \
  "$(api "/devices/sensor_A1B2/statuses?update=$update" |
    jq -r '[.items[].state] | reduce .[] as $s ([]; if .[-1] == $s then . else . + [$s] end) | join(" ")')"
