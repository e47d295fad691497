# A power cut inside a flash operation of the download is survived, and the update finishes from where it was
# shellcheck shell=bash disable=SC2154
start_stack
start_files
make_image "$work/files/new.bin" 1.4.0
size=$(size_of "$work/files/new.bin")
provision sensor_A1B2 1.3.0
run_device sensor_A1B2 --fault power-cut-at-bytes=200000
wait_for_state sensor_A1B2 online=true >/dev/null
update=$(offer_hosted sensor_A1B2 1.4.0 "$(file_url rate-400000 new.bin)" "$work/files/new.bin")
wait_until "$(within 20)" requests_served_at_least 1 || fail "the power was not cut"
if ! is_running sensor_A1B2; then
  stop sensor_A1B2
  run_device sensor_A1B2
fi
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
second=$(sed -n 2p "$served")
offset=$(member "$second" range | sed -nE 's/^bytes=([0-9]+)-$/\1/p')
[ "${offset:-0}" -ge $((200000 - 16384)) ] || fail "resumed at ${offset:-0}"
[ "$(bytes_served)" -lt $((size + 65536)) ] || fail "$(bytes_served) bytes served for an image of $size"
expect_device_runs sensor_A1B2 1.4.0
