# A web page in a browser on the machine of a server without tokens reaches nothing: 421 to a name that was made to resolve to it, 403 to another site's requests
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
http_port=$(free_port)
spawn otariad "$bin/otariad" --data "$work/server" --http "127.0.0.1:$http_port" --mqtt "$(broker_url)"
wait_until "$(within 15)" server_is_ready || fail "otariad did not become ready: $(tail -n 5 "$work/otariad.log")"
use_token "$work/server/bootstrap-token"
expect_equal "access" open "$(api /server | jq -r .access)"
answer() { echo "$(curl -s -m 10 -o "$work/answer" -w '%{http_code}' "$@") $(jq -r '.code // empty' "$work/answer")"; }

# DNS rebinding: to the browser the page is of this very origin, and it says so.
for host in attacker.example "attacker.example:$http_port" localhost.attacker.example 127.0.0.1.attacker.example 192.0.2.1; do
  for path in /api/v1/devices /api/v1/server /keys.jws /; do
    expect_equal "GET $path as $host" "421 wrong_host" "$(answer -H "Host: $host" -H 'Sec-Fetch-Site: same-origin' "$(server_url)$path")"
  done
  expect_equal "a token for $host" "421 wrong_host" "$(answer -H "Host: $host" -H "Origin: http://$host" -H 'Sec-Fetch-Site: same-origin' \
    -d '{"role":"admin"}' "$(server_url)/api/v1/tokens")"
done
# Forged requests: a form or a script of another site, that may send but not read.
for header in 'Origin: http://attacker.example' 'Origin: null' 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site'; do
  expect_equal "a token for '$header'" "403 cross_site_request" "$(answer -H "$header" -d '{"role":"admin"}' "$(server_url)/api/v1/tokens")"
  expect_equal "an update for '$header'" "403 cross_site_request" "$(answer -H "$header" -H 'Content-Type: text/plain' \
    -d '{"devices":["sensor_A1B2"],"release":"6.6.6","force":true}' "$(server_url)/api/v1/updates")"
done
expect_equal "tokens that were made" bootstrap "$(api /tokens | jq -r '.items[].name')"

# The operator's own programs are served as before.
device sensor_A1B2 1.3.0
make_image "$work/new.bin" 1.4.0 --size 100000
publish_release "$work/new.bin" 1.4.0
expect_exit 0 otaria update send sensor_A1B2 --release 1.4.0 --wait
expect_device_runs sensor_A1B2 1.4.0
