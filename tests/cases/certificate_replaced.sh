# A certificate is replaced while a device downloads: the download goes on, new connections see the new one, a broken one nobody
# shellcheck shell=bash disable=SC2154
use_tls
start_stack
# At half the time that a typical flash takes, this image is a download of six seconds.
device sensor_A1B2 1.3.0 --fault slow-flash=0.5
make_image "$work/new.bin" 1.4.0 --size 1000000
publish_release "$work/new.bin" 1.4.0
expect_equal "the certificate at first" "$(pin_of "$tls/server/server.pem")" "$(pin_served_at "$http_port")"

update=$(offer sensor_A1B2 1.4.0)
wait_for_status sensor_A1B2 downloading --update "$update" >/dev/null
make_certificate next 127.0.0.1
cp "$tls/next/server.key" "$tls/server/server.key"
cp "$tls/next/server.pem" "$tls/server/server.pem"
shows_the_next() { [ "$(pin_served_at "$http_port")" = "$(pin_of "$tls/next/server.pem")" ]; }
wait_until "$(within 20)" shows_the_next || fail "the new certificate is not in use"
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_states sensor_A1B2 "received downloading verifying installed rebooting trial succeeded" --update "$update"

make_certificate other 127.0.0.1
cp "$tls/other/server.pem" "$tls/server/server.pem"  # its key stays: the pair does not fit
kill -HUP "${process_ids[otariad]}"
says_so() { grep -q "the certificate in use stays: .* does not belong to the certificate" "$work/otariad.log"; }
wait_until "$(within 10)" says_so || fail "the misfit is not named"
shows_the_next || fail "the certificate before the broken one is not in use any more"
expect_device_runs sensor_A1B2 1.4.0
