# A broker that repeats, replays, floods and garbles notices ends no download but by the code of its lie, and installs nothing: the device runs on
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
offer_slowly() { # VERSION UPDATE: a signed release at 60 KB a second
  make_image "$work/files/$1.bin" "$1" --size 100000
  signed_notice "$1" "$1.bin" "$(sign_release "$work/files/$1.bin" "$1")" "update=\"$2\"" "url=\"$(file_url rate-60000 "$1.bin")\""
}
old=$(offer_slowly 1.2.9 old)
first=$(offer_slowly 1.4.0 first)
send_notice sensor_A1B2 "$first"
wait_for_status sensor_A1B2 downloading --update first --at-least 10 >/dev/null

# In the middle of it: the same notice twenty times; what is no notice, too large a one, and a retained one for somebody else.
for _ in {1..20}; do send_notice sensor_A1B2 "$first"; done
head -c 70000 /dev/zero | tr '\0' '[' >"$work/huge"
: >"$work/garbage.bin"
printf '\0\377\376{"version"' >"$work/garbage.bin"
jq -cn --arg pad "$(head -c 3000 /dev/zero | tr '\0' a)" '{version: "1.9.0", url: "http://127.0.0.1/x", signature: $pad}' >"$work/long"
for file in huge garbage.bin long; do mosquitto_pub -h 127.0.0.1 -p "$broker_port" -q 1 -r -t sensor_A1B2/firmware/update -f "$work/$file"; done
send_notice sensor_C3D4 "$first"
wait_for_status sensor_A1B2 succeeded --update first >/dev/null
expect_states sensor_A1B2 "received downloading verifying installed rebooting trial succeeded" --update first
expect_equal "requests for the image" 1 "$(jq -s 'map(select(.path | endswith("/1.4.0.bin"))) | length' "$served")"
bad=$(observer statuses --device sensor_A1B2 | jq -s '[.[] | select(.state == "refused" and .update == null) | .error.code] | unique | join(" ")')
expect_equal "answers to what was no notice" '"bad_notice"' "$bad"

# Replays, out of order: of what ended, of what is older, and of the older one dressed as the new one's update.
send_notice sensor_A1B2 "$first"
wait_for_status sensor_A1B2 succeeded --update first --count 2 >/dev/null
send_notice sensor_A1B2 "$old"
expect_refused sensor_A1B2 old not_newer 1.4.0
send_notice sensor_A1B2 "$(jq -c '.update = "first"' <<<"$old")"
wait_for_status sensor_A1B2 succeeded --update first --count 3 >/dev/null
restart_broker 0
wait_for_status sensor_A1B2 succeeded --update first --count 4 >/dev/null
expect_equal "requests for the older image" 0 "$(jq -s 'map(select(.path | endswith("/1.2.9.bin"))) | length' "$served")"

# A forged withdrawal, and an old notice in the middle of a new update: the device says what became of it.
send_notice sensor_A1B2 "$(offer_slowly 1.5.0 withdrawn)"
wait_for_status sensor_A1B2 downloading --update withdrawn --at-least 10 >/dev/null
mosquitto_pub -h 127.0.0.1 -p "$broker_port" -q 1 -r -n -t sensor_A1B2/firmware/update
wait_for_status sensor_A1B2 failed --update withdrawn --code withdrawn >/dev/null
send_notice sensor_A1B2 "$(offer_slowly 1.6.0 overtaken)"
wait_for_status sensor_A1B2 downloading --update overtaken --at-least 10 >/dev/null
send_notice sensor_A1B2 "$(jq -c '.update = "old-again"' <<<"$old")"
wait_for_status sensor_A1B2 failed --update overtaken --code superseded >/dev/null
wait_for_status sensor_A1B2 refused --update old-again --code not_newer >/dev/null
takes_honest_update sensor_A1B2 1.7.0
