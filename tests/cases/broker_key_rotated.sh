# The broker shows a key that a device's list does not pin: no connection; the list that pins it is fetched past the pins, and heals it
# shellcheck shell=bash disable=SC2034,SC2154
use_tls
make_certificate next 127.0.0.1
make_certificate spare 127.0.0.1
start_stack
make_keys
pin_list() {  # SERIAL CERTIFICATE…: a list like the one before, with the pins of those certificates; published
  local serial=$1 flags=() name
  shift
  for name in "$@"; do flags+=(--pin "127.0.0.1=$(pin_of "$tls/$name/server.pem")"); done
  key_tool keylist make --from "$list" "${flags[@]}" --out "$keys/$serial.json"
  sign_list "$keys/$serial"
  list=$keys/$serial.jws
  expect_exit 0 otaria keylist publish "$list"
}
pin_list 2 server spare

# Its password comes from a file. Who does not ask for tokens asks that server for key lists all the same.
echo none >"$work/password"
provision_production sensor_A1B2 1.3.0 --ca "$tls/ca.pem" --server "$(server_url)"
run_device sensor_A1B2 --token-file "$work/password" --reconnect-limit-ms 1000
wait_for_state sensor_A1B2 online=true keys=2 'mode="production"' >/dev/null

# The broker changes to a key that list 3 pins beside the others.
pin_list 3 server next spare
broker_tls=("certfile $tls/next/server.pem" "keyfile $tls/next/server.key")
restart_broker
wait_for_state sensor_A1B2 online=true keys=3 >/dev/null
grep -q "none of the host's pins" "$work/sensor_A1B2.log" || fail "the device met no key that it did not pin"
expect_device_runs sensor_A1B2 1.3.0
