# Who floods the token endpoint hears 429 with Retry-After; meanwhile a device gets its token and its update, and the server does not grow
# shellcheck shell=bash disable=SC2154
# The address sanitizer keeps freed memory back, 256 MB of it by itself: no growth of otariad's.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}${ASAN_OPTIONS:+:}quarantine_size_mb=8"
start_production
provision_registered sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development
resident_kib() { awk '/^VmRSS:/ {print $2}' "/proc/${process_ids[otariad]}/status"; }
flood() { spawn "$1" "$python" "$tests_lib/hostile_flood.py" "$http_port" "$tls/ca.pem" "$(within "$2")" "$3" "$4"; }  # NAME SECONDS FIRST_ADDRESS COUNT
answers() { jq -r --arg status "$2" '.answers[$status] // 0' "$work/$1.log"; }  # NAME STATUS
ended() { ! is_running "$1"; }
before=$(resident_kib)

# One address as fast as it can, and beside it 4,000 that ask three times each.
flood one 6 127.0.0.2 1
flood many 6 127.1.0.1 4000
run_device sensor_A1B2
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' >/dev/null
is_running one || fail "the flood was over before the device had its token"
expect_exit 0 otaria update send sensor_A1B2 --release 1.4.0 --wait
wait_until "$(within 30)" ended one || fail "the flood of one address did not end"
wait_until "$(within 30)" ended many || fail "the flood of many addresses did not end"

[ "$(answers one 429)" -gt 100 ] || fail "the flood was not limited: $(cat "$work/one.log")"
# A burst of 300 and 20 a second are let through; a third of them get a nonce.
[ "$(answers one 200)" -le $((300 + 20 * $(within 7))) ] || fail "too much was let through: $(cat "$work/one.log")"
expect_equal "429 without Retry-After" "0 0" "$(jq -r .without_retry_after "$work/one.log") $(jq -r .without_retry_after "$work/many.log")"
expect_equal "errors of the server" 0 "$(jq -s 'map(.answers | to_entries[] | select(.key | startswith("5")) | .value) | add // 0' "$work/one.log" "$work/many.log")"
grown=$(($(resident_kib) - before))
[ "$grown" -le $((48 * 1024 * time_factor)) ] || fail "otariad grew by $grown KiB in the flood"
expect_device_runs sensor_A1B2 1.4.0
