# Two devices whose MACs end alike: the second one enrols all the same, is assigned the long id, keeps it over a reset, and both are updated
# shellcheck shell=bash disable=SC2154
use_tls
cat >>"$work/otaria.toml" <<TOML
token = "self"
TOML
broker_port=$(free_port)
start_server_before_broker() {
  http_port=$(free_port)
  spawn otariad "$bin/otariad" --config "$work/otaria.toml" --data "$work/server" --http "127.0.0.1:$http_port" --mqtt "$(broker_url)" \
    --public-url "$(server_url)" --certificate "$tls/server/server.pem" --private-key "$tls/server/server.key"
  wait_until "$(within 15)" curl "${http_tls[@]}" -sf -m 2 -o /dev/null "$(server_url)/readyz" || fail "otariad did not become ready"
  use_token "$work/server/bootstrap-token"
}
start_server_before_broker
start_guarded_broker || fail "Mosquitto did not start"
make_keys
expect_exit 0 otaria keylist publish "$list"

for mac in 0210a4cfa1b2 0299a4cfa1b2; do
  claim=$(otaria --json device claim "$mac" | jq -er '.items[0].claim') || fail "no claim for $mac"
  [ -e "$work/factory-1.3.0.bin" ] || make_image "$work/factory-1.3.0.bin" 1.3.0 --size 100000
  "$bin/otaria-device" --flash "$work/$mac.flash" --factory "$work/factory-1.3.0.bin" --mac "$mac" --product sensor --app-version 1.3.0 \
    --keylist "$list" --ca "$tls/ca.pem" --server "$(server_url)" --claim "$claim" >>"$work/provision.log" 2>&1 || fail "provisioning $mac"
  spawn "$mac" "$bin/otaria-device" --flash "$work/$mac.flash" --mqtt "$(broker_url)" --retry-first-ms 100 --reconnect-limit-ms 1000 \
    --trial-timeout "$(within 20)"
  online() { otaria --json device list | jq -e --arg mac "$mac" '.items[] | select(.mac == $mac and .online)' >"$work/online.json"; }
  wait_until "$(within 30)" online || fail "$mac did not come online"
done
ids() { otaria --json device list | jq -r '[.items[] | select(.online) | .mac + "=" + .id] | sort | join(" ")'; }
expected="0210a4cfa1b2=sensor_A1B2 0299a4cfa1b2=sensor_0299a4cfa1b2"
expect_equal "ids" "$expected" "$(ids)"

# Both boot twice in an update; the second one's id is in its flash.
make_image "$work/new.bin" 1.4.0 --size 200000
otaria release publish "$work/new.bin" --version 1.4.0 --product sensor --key "$signer" --development >>"$work/publish.log" 2>&1 ||
  fail "publishing: $(tail -n 3 "$work/publish.log")"
expect_exit 0 otaria update send sensor_A1B2 sensor_0299a4cfa1b2 --release 1.4.0 --wait
expect_equal "ids after the update" "$expected" "$(ids)"
for mac in 0210a4cfa1b2 0299a4cfa1b2; do expect_device_runs "$mac" 1.4.0; done
