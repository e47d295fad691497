# Over HTTPS and mqtts, under a CA of one's own, an update goes from publish to confirmed; without that CA nobody connects
# shellcheck shell=bash disable=SC2154
use_tls
start_stack
device sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 1000000
publish_release "$work/new.bin" 1.4.0
expect_exit 0 otaria update send sensor_A1B2 --release 1.4.0 --wait
state=$(wait_for_state sensor_A1B2 online=true 'version="1.4.0"' confirmed=true)
expect_equal "image in use" "$(digest_of "$work/new.bin")" "$(member "$state" image)"
offered=$(grep -o '"url":"[^"]*' "$work/sensor_A1B2.log" | head -n 1)
expect_contains "what the device was offered" "https://127.0.0.1:$http_port/firmware/" "$offered"
expect_device_runs sensor_A1B2 1.4.0

# The operator's programs trust that CA alone, and say what to do about another.
"$bin/otaria" cert ca --out "$work/other" >/dev/null
expect_exit 4 env OTARIA_CA_FILE="$work/other/ca.pem" "$bin/otaria" --server "$(server_url)" release list
expect_contains "what otaria says" "untrusted_certificate" "$output"
expect_exit 4 env -u OTARIA_CA_FILE "$bin/otaria" --server "$(server_url)" release list
expect_contains "what otaria says" "--ca FILE" "$output"
expect_exit 4 "$bin/otaria" --server "https://localhost:$http_port" release list
expect_contains "what otaria says" "wrong_host" "$output"
notice_flags=(1.5.0 "https://127.0.0.1/a.bin" --signature "$(digest_of "$work/new.bin")" --device sensor_C3D4 --broker "$(broker_url)")
expect_exit 4 "$bin/send_ota_update" "${notice_flags[@]}" --ca "$work/other/ca.pem"
expect_contains "what send_ota_update says" "tls_failed" "$output"
expect_exit 0 "$bin/send_ota_update" "${notice_flags[@]}" --ca "$tls/ca.pem"

# A device without the CA stays off line, whatever it is offered.
"$bin/otaria-device" --flash "$work/sensor_E5F6.flash" --factory "$work/factory-1.3.0.bin" --id sensor_E5F6 --development \
  --product sensor --app-version 1.3.0 --ca "$work/other/ca.pem" >>"$work/provision.log" 2>&1 || fail "provisioning sensor_E5F6"
run_device sensor_E5F6
refused_by_it() { grep -qiE "unknown ca|alert|certificate" "$work/broker.log"; }
wait_until "$(within 20)" refused_by_it || fail "the device did not try"
expect_equal "states of a device that trusts another CA" "" "$(jq -r 'select(.topic | startswith("sensor_E5F6")) | .topic' "$seen")"
is_running sensor_E5F6 || fail "the device ended"
# And what speaks no TLS is told so.
expect_contains "answer to plain HTTP" https_required "$(curl -s "http://127.0.0.1:$http_port/healthz")"
