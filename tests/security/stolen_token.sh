# A stolen device token is good until its end or its device's revocation: then who came by it is put out, and neither broker nor server takes it
# shellcheck shell=bash disable=SC2154
start_production '[downloads]' 'access = "token"'
registered_device sensor_A1B2 1.3.0
registered_program sensor_EEEE a4cf12e0eeee
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development
fetch() {  # TOKEN_FILE: prints status and code
  (umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$1")" >"$work/bearer")
  echo "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/bearer" "$(server_url)/firmware/$(digest_of "$work/new.bin").bin") $(jq -r .code "$work/body" 2>/dev/null || :)"
}
thief() {  # NAME TOKEN_FILE: connects with sensor_EEEE's token and stays
  spawn "$1" "$python" "$tests_lib/hostile_mqtt.py" --port "$broker_port" --ca "$tls/ca.pem" --id sensor_EEEE --user a4cf12e0eeee --token-file "$2" \
    until-closed "$(within 25)"
  admitted() { grep -q 'connect 0' "$work/$1.log"; }
  wait_until "$(within 10)" admitted "$1" || fail "$1 is not in: $(cat "$work/$1.log")"
}
put_out() { grep -q closed "$work/$1.log"; }

# One that ends in a few seconds: leeway counts at CONNECT alone, and there it has ended long enough.
now=$(date +%s)
(umask 077 && hostile_tokens mint "$(issuer_key)" sensor_EEEE a4cf12e0eeee "iat=$((now - 100))" "exp=$((now + $(within 5)))" | tr -d '\n' >"$work/short.token")
(umask 077 && hostile_tokens mint "$(issuer_key)" sensor_EEEE a4cf12e0eeee "iat=$((now - 100))" "exp=$((now - 60))" | tr -d '\n' >"$work/ended.token")
thief short-lived "$work/short.token"
wait_until "$(within 25)" put_out short-lived || fail "the client whose token ended was not put out"
[ "$(date +%s)" -ge $((now + $(within 5))) ] || fail "it was put out before its token ended"
broker_refuses sensor_EEEE a4cf12e0eeee "$work/ended.token"
expect_equal "the ended token for an image" "401 token_invalid" "$(fetch "$work/ended.token")"

# The genuine one, until the operator revokes its device.
expect_equal "the genuine token for an image" "200 " "$(fetch "$work/sensor_EEEE.token")"
thief long-lived "$work/sensor_EEEE.token"
otaria device revoke sensor_EEEE --reason stolen >>"$work/publish.log" || fail "the device was not revoked"
wait_until "$(within 20)" put_out long-lived || fail "the client of the revoked device was not put out"
broker_refuses sensor_EEEE a4cf12e0eeee "$work/sensor_EEEE.token"
refused_by_server() { [ "$(fetch "$work/sensor_EEEE.token")" = "401 token_invalid" ]; }
wait_until "$(within 20)" refused_by_server || fail "the revoked device's token still opens images"
expect_equal "answer to its key" "403 device_not_active" "$(ask_token again "$work/sensor_EEEE.key" a4cf12e0eeee) $(jq -r .code "$work/again.answer")"
takes_sent_update sensor_A1B2 1.5.0
