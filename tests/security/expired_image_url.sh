# When a signed URL has ended in the middle of a download, the device keeps what it has, waits, and goes on by Range at the URL of a renewed notice
# shellcheck shell=bash disable=SC2154
start_production
start_files
registered_device sensor_A1B2 1.3.0
stop sensor_A1B2
make_image "$work/files/new.bin" 1.4.0 --size 400000
publish_release "$work/files/new.bin" 1.4.0 --key "$signer" --development
service_token otariad-2
update=$(offer sensor_A1B2 1.4.0)
manifest=$(api "/updates/$update" | jq -r .manifest)
# The same update at another URL, as a second server would say it.
say_url() {
  hostile_mqtt otariad-2 otariad-2 "$work/otariad-2.token" retain sensor_A1B2/firmware/update \
    "$(notice 1.4.0 "$1" "$work/files/new.bin" "update=\"$update\"" "manifest=\"$(server_url)/manifests/$manifest.jws\"")" >/dev/null
}
ended=$(hostile_tokens url "$work/server/keys/download-secret" "$(server_url)" "/firmware/$(digest_of "$work/files/new.bin").bin" "$(date +%s)")
expect_equal "the ended URL" "403 url_expired" "$(curl "${http_tls[@]}" -s -o "$work/body" -w '%{http_code}' "$ended") $(jq -r .code "$work/body")"

# A slow download that breaks after 150,000 bytes; by then the URL that the device knows has ended.
say_url "$(file_url rate-60000+break-150000 new.bin)"
run_device sensor_A1B2
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 5 >/dev/null
say_url "$ended"
sent_before=$(metric http_sent_bytes_total)
wait_for_status sensor_A1B2 waiting --update "$update" >/dev/null
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_states sensor_A1B2 "received downloading waiting downloading verifying installed rebooting trial succeeded" --update "$update"
sent=$(($(metric http_sent_bytes_total) - sent_before))
[ "$sent" -lt 300000 ] || fail "otariad sent $sent bytes for the last 250,000 of the image: the device began anew"
expect_device_runs sensor_A1B2 1.4.0
