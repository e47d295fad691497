# Words for cases about the whole production system: otariad over HTTPS, Mosquitto with mosquitto_otaria.so over mqtts, devices
# with keys of their own, an observer with a monitor's token. case.sh sources this.
#
# The attacker's programs: hostile_mqtt.py says anything to a broker, hostile_tokens.py signs anything with any key. A name
# that "registered_program" was given is a device in the books like any other, driven by the case.
# shellcheck shell=bash disable=SC2154,SC2034  # case.sh declares and reads what is set here

# start_production [LINE OF otaria.toml…]: everything up, the operator's key list published; lines after [mqtt] belong to it.
start_production() {
  local try
  use_tls
  make_keys
  seen=$work/seen.jsonl
  : >"$seen"
  printf '%s\n' 'token = "self"' "$@" >>"$work/otaria.toml"
  for try in 1 2 3; do
    broker_port=$(free_port)
    start_server
    if start_guarded_broker; then break; fi
    [ "$try" -lt 3 ] || fail "Mosquitto did not start: $(tail -n 5 "$work/broker.log")"
    stop otariad
    http_port=
  done
  wait_until "$(within 20)" server_reaches_broker || fail "otariad did not reach the broker: $(tail -n 5 "$work/otariad.log")"
  otaria keylist publish "$list" >>"$work/publish.log" || fail "the key list was not published"
  service_token monitor-lab
  observe_as monitor-lab
}
# The plugin reads the issuer's public keys from a file, so the server comes first.
start_guarded_broker() {
  local preload
  [ -e "$bin/mosquitto_otaria.so" ] || fail "no $bin/mosquitto_otaria.so; build the target mosquitto_otaria"
  # A library built with a sanitizer needs it first in its process; Mosquitto's own leaks are none of ours.
  preload=$(ldd "$bin/mosquitto_otaria.so" | awk '$1 ~ /^lib(asan|ubsan|tsan)\./ {print $3}' | paste -sd:)
  [ -z "$preload" ] || local -x LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0
  start_broker broker "$broker_port" "$work/broker" "allow_anonymous false" "check_retain_source false" "max_packet_size 8192" \
    "log_type information" "plugin $bin/mosquitto_otaria.so" "plugin_opt_issuer otaria" "plugin_opt_audience otaria" \
    "plugin_opt_jwks $work/server/broker/jwks.json" "plugin_opt_denylist $work/server/broker/denied" "${broker_tls[@]}"
}
server_reaches_broker() { api /server | jq -e .broker.connected >/dev/null; }
metric() { curl "${http_tls[@]}" -sf -m 10 -H @"$work/authorization" "$(server_url)/metrics" | awk -v name="otaria_$1" '$1 == name {print $2}'; }
metric_is_at_least() { [ "$(metric "$1")" -ge "$2" ]; }  # NAME N

service_token() { otaria issuer token "$1" --out "$work/$1.token" >>"$work/publish.log" || fail "no token for $1"; }  # NAME
# The observer reads its password from a file: an argument would stand in every process list.
observe_as() {  # NAME
  observer_id=$1
  (umask 077 && mkdir -p "$work/observer" && printf -- '-u %s\n-P %s\n' "$1" "$(cat "$work/$1.token")" >"$work/observer/mosquitto_sub")
  start_observer
}

# registered_device ID VERSION [RUN FLAGS…]: a virtual device that proves itself by its key; running, seen online.
registered_device() {
  local id=$1 version=$2
  shift 2
  provision_registered "$id" "$version"
  run_device "$id" "$@"
  wait_for_state "$id" online=true "version=\"$version\"" 'mode="production"' >/dev/null
}
provision_registered() {  # ID VERSION [FLAGS…]
  provision_production "$@" --ca "$tls/ca.pem" --server "$(server_url)"
  device_info "$1" | jq -r .mac >"$work/$1.mac"  # to be read while the device runs
  import_row "$1" "$(device_info "$1" | jq -r '[.id, .mac, .public_key, .product, .hardware] | join(",")')"
}
import_row() {  # NAME ROW
  printf 'id,mac,public_key,product,hardware\n%s\n' "$2" >"$work/$1.csv"
  otaria device import "$work/$1.csv" >>"$work/publish.log" 2>&1 || fail "importing $1: $(tail -n 3 "$work/publish.log")"
}

hostile_tokens() { "$python" "$tests_lib/hostile_tokens.py" "$@"; }
# registered_program ID MAC: a device in the books whose key the case holds in $work/ID.key; its token is then in $work/ID.token.
registered_program() {
  hostile_tokens key p256 "$work/$1.key"
  import_row "$1" "$1,$2,$(hostile_tokens public "$work/$1.key"),sensor,esp32s3-8mb"
  expect_equal "answer to $1's request for a token" 200 "$(ask_token "$1" "$work/$1.key" "$2")"
  (umask 077 && jq -r .token "$work/$1.answer" >"$work/$1.token")
}
nonce() { curl "${http_tls[@]}" -sf -m 10 -X POST "$(server_url)/api/v1/device/nonce" | jq -r .nonce; }
# ask_token NAME KEY MAC [HEADER OR CLAIM…]: prints the HTTP status; the answer is then in $work/NAME.answer.
ask_token() {
  local name=$1 key=$2 mac=$3
  shift 3
  hostile_tokens jws "$key" otaria-assertion+jwt "iss=\"$mac\"" "sub=\"$mac\"" "aud=\"$(server_url)\"" "nonce=\"$(nonce)\"" "$@" >"$work/$name.jws"
  curl "${http_tls[@]}" -s -m 10 -o "$work/$name.answer" -w '%{http_code}' --data-urlencode "assertion@$work/$name.jws" \
    --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer "$(server_url)/api/v1/device/token"
}
# What a thief of the issuer's key could sign; also where a token must be wrong in one respect alone.
issuer_key() { find "$work/server/keys" -name 'issuer-*.pem' | head -n 1; }

# hostile_mqtt ID USER TOKEN_FILE ACTION…: prints a line for each thing that it did (hostile_mqtt.py).
hostile_mqtt() {
  local id=$1 user=$2 token=$3
  shift 3
  "$python" "$tests_lib/hostile_mqtt.py" --port "$broker_port" --ca "$tls/ca.pem" --id "$id" --user "$user" --token-file "$token" "$@"
}
broker_refuses() { expect_equal "what $1 hears at CONNECT" "connect 5" "$(hostile_mqtt "$@" | head -n 1)"; }  # ID USER TOKEN_FILE
broker_admits() { expect_equal "what $1 hears at CONNECT" "connect 0" "$(hostile_mqtt "$@" | head -n 1)"; }

# The end of each attack: the device takes what its operator signs and sends through the server.
takes_sent_update() {  # ID VERSION
  make_image "$work/sent-$2.bin" "$2" --size 100000
  publish_release "$work/sent-$2.bin" "$2" --key "$signer" --development
  expect_exit 0 otaria update send "$1" --release "$2" --wait
  expect_device_runs "$1" "$2"
}
