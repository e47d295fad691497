# Device tokens that are expired, re-signed, alg none or HS256, or of another audience or issuer: CONNACK 5 at the broker, 401 at the server
# shellcheck shell=bash disable=SC2154
start_production '[downloads]' 'access = "token"'
registered_program sensor_A1B2 a4cf12e0a1b2
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0 --key "$signer" --development
url=$(server_url)/firmware/$(digest_of "$work/new.bin").bin
fetch() {  # TOKEN_FILE: prints the status
  (umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$1")" >"$work/bearer")
  curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/bearer" "$url"
}
# What RabbitMQ would ask: it passes name, token and client id on.
hook() {  # TOKEN_FILE [USER [CLIENT_ID]]
  curl "${http_tls[@]}" -s -m 10 --data-urlencode "username=${2:-a4cf12e0a1b2}" --data-urlencode "password@$1" \
    --data-urlencode "client_id=${3:-sensor_A1B2}" --data-urlencode vhost=/ "$(server_url)/broker/rabbitmq/user" | sed 's/.*"code":"\([a-z_]*\)".*/\1/'
}

# The genuine one, and one that the case signs by the issuer's own key: what follows is refused for what is wrong with it, not for its signature.
hostile_tokens mint "$(issuer_key)" sensor_A1B2 a4cf12e0a1b2 | tr -d '\n' >"$work/minted.token"
tr -d '\n' <"$work/sensor_A1B2.token" >"$work/genuine.token"
for good in "$work/genuine.token" "$work/minted.token"; do
  broker_admits sensor_A1B2 a4cf12e0a1b2 "$good"
  expect_equal "image for $good" 200 "$(fetch "$good")"
  expect_equal "hook about $good" allow "$(hook "$good")"
done

mkdir "$work/hostile"
names=$(hostile_tokens hostile "$(issuer_key)" "$work/hostile")
"$python" "$tests_lib/hostile_mqtt.py" --port "$broker_port" --ca "$tls/ca.pem" --id sensor_A1B2 --user a4cf12e0a1b2 --each "$work/hostile" >"$work/connacks"
for name in $names; do
  token=$work/hostile/$name
  # 64 KB are more than max_packet_size: closed before anybody is asked; and more than a head or such a body may have.
  case "$name" in
    *64-KB) wanted="none/431/too_large" ;;
    *) wanted="5/401/deny" ;;
  esac
  connack=$(awk -v name="$name" '$1 == name {print $2}' "$work/connacks")
  expect_equal "broker/server/hook to $name" "$wanted" "$connack/$(fetch "$token")/$(hook "$token")"
  case "$wanted" in *401*) expect_equal "code for $name" token_invalid "$(jq -r .code "$work/body")" ;; esac
done
expect_equal "kinds of hostile tokens" 19 "$(wc -w <<<"$names")"

# Good, in the wrong hands; and rights that no issuer gives.
broker_refuses sensor_C3D4 a4cf12e0a1b2 "$work/genuine.token"
broker_refuses sensor_A1B2 a4cf12e0c3d4 "$work/genuine.token"
expect_equal "hook about another client id" deny "$(hook "$work/genuine.token" a4cf12e0a1b2 sensor_C3D4)"
expect_equal "hook about another user name" deny "$(hook "$work/genuine.token" a4cf12e0c3d4)"
expect_equal "an operator's token for an image" 401 "$(fetch "$OTARIA_TOKEN_FILE")"
expect_equal "no token for an image" "401 token_required" "$(curl "${http_tls[@]}" -s -o "$work/body" -w '%{http_code}' "$url") $(jq -r .code "$work/body")"
expect_equal "tokens in the logs" 0 "$(cat "$work/otariad.log" "$work/broker.log" | grep -cF -f "$work/genuine.token" || :)"

# A device of flesh still gets its token, fetches with it, and runs what was signed.
registered_device sensor_E5F6 1.3.0
expect_exit 0 otaria update send sensor_E5F6 --release 1.4.0 --wait
expect_device_runs sensor_E5F6 1.4.0
