# When a signed URL has ended in the middle of a download, the device keeps what it has, waits, and goes on by Range at the URL of a renewed notice
# shellcheck shell=bash disable=SC2154
start_production
provision_registered sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 400000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development
run_device sensor_A1B2 --fault slow-flash=1  # about 2 s for the image: time to take the server away
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' >/dev/null
service_token otariad-2

# The same update at a URL that ends now: the download under way goes on, the next request is too late.
ended_url() { hostile_tokens url "$work/server/keys/download-secret" "$(server_url)" "/firmware/$(digest_of "$work/new.bin").bin" "$(date +%s)"; }
update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 20 >/dev/null
manifest=$(api "/updates/$update" | jq -r .manifest)
hostile_mqtt otariad-2 otariad-2 "$work/otariad-2.token" retain sensor_A1B2/firmware/update \
  "$(notice 1.4.0 "$(ended_url)" "$work/new.bin" "update=\"$update\"" "manifest=\"$(server_url)/manifests/$manifest.jws\"")" >/dev/null
expect_equal "the ended URL" "403 url_expired" "$(curl "${http_tls[@]}" -s -o "$work/body" -w '%{http_code}' "$(ended_url)") $(jq -r .code "$work/body")"
kill_hard otariad
start_server

wait_for_status sensor_A1B2 waiting --update "$update" >/dev/null
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_states sensor_A1B2 "received downloading waiting downloading verifying installed rebooting trial succeeded" --update "$update"
resumed=$(observer statuses --device sensor_A1B2 --update "$update" | jq -s '[.[] | select(.state == "downloading" and .bytes > 0)] | length')
[ "$resumed" -gt 0 ] || fail "nothing was kept of the download"
expect_device_runs sensor_A1B2 1.4.0
