# What a whole-system case may use. run_case.sh sources this, then the case; docs/guide/system-tests.md tells how to write one.
#
# Words   device ids are names like sensor_A1B2; versions are semvers; all times are seconds and grow with
#         OTARIA_TIME_FACTOR (sanitizer builds). Everything lies in $work and is ended and removed with it.
# shellcheck shell=bash

tests_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../scripts/lib/common.sh
. "$tests_lib/../../scripts/lib/common.sh"
# shellcheck source=../../scripts/lib/processes.sh
. "$tests_lib/../../scripts/lib/processes.sh"
# shellcheck source=trust.sh
. "$tests_lib/trust.sh"
# shellcheck source=production.sh
. "$tests_lib/production.sh"

bin=${OTARIA_BIN_DIR:-$otaria_root/build/release/bin}
time_factor=${OTARIA_TIME_FACTOR:-1}
# The system's python where there is one: another one first in PATH may lack the packages that setup.sh installs.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

work=${work:-}  # the case's own directory
broker_port=
http_port=
files_port=
files_scheme=http
tls=      # the folder of CA and certificates, once use_tls was called
seen=     # what the observer saw, JSON lines
observed=0  # how often it had connected before
observer_id=observer
served=   # what the hostile server sent, JSON lines

within() { echo $(($1 * time_factor)); }

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
expect_equal() {  # WHAT EXPECTED ACTUAL
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}
expect_contains() {  # WHAT PART WHOLE
  case "$3" in *"$2"*) ;; *) fail "$1: expected to find '$2' in '$3'" ;; esac
}
expect_exit() {  # CODE COMMAND…; the command's output goes to $output
  local wanted=$1 code=0
  shift
  output=$("$@" 2>&1) || code=$?
  [ "$code" -eq "$wanted" ] || fail "'$*' ended with $code, expected $wanted; it said: $output"
}
member() { jq -r --arg name "$2" 'getpath($name | split(".")) | if . == null then "" else . end' <<<"$1"; }  # JSON NAME

# --- TLS ---------------------------------------------------------------------------------------------------------

# What TLS adds to the command lines of broker, MQTT clients and curl; empty without it.
broker_tls=()
mqtt_tls=()
http_tls=()

# From here on broker, server and their clients speak TLS only, under a CA of the case's own. Before start_stack.
use_tls() {
  tls=$work/tls
  "$bin/otaria" cert ca --out "$tls" >>"$work/cert.log" || fail "no CA: $(tail -n 3 "$work/cert.log")"
  make_certificate server 127.0.0.1
  export OTARIA_CA_FILE=$tls/ca.pem
  broker_tls=("certfile $tls/server/server.pem" "keyfile $tls/server/server.key")
  mqtt_tls=(--cafile "$tls/ca.pem")
  http_tls=(--cacert "$tls/ca.pem")
  printf '[mqtt]\nca_file = "%s"\n' "$tls/ca.pem" >"$work/otaria.toml"
}
# make_certificate FOLDER HOST [CA]: server.pem and server.key in $tls/FOLDER, by the CA in $tls or another one.
make_certificate() {
  "$bin/otaria" cert server --ca "${3:-$tls}" --host "$2" --out "$tls/$1" >>"$work/cert.log" 2>&1 ||
    fail "no certificate for $2: $(tail -n 3 "$work/cert.log")"
}
# Serves $work/files over HTTPS with that certificate: serve_files_with FOLDER; then files_port is set.
serve_files_with() {
  stop files
  mkdir -p "$work/files"
  files_port=$(free_port)
  spawn files "$bin/firmware_server" --address 127.0.0.1 --port "$files_port" --certificate "$tls/$1/server.pem" \
    --private-key "$tls/$1/server.key" "$work/files"
  wait_until "$(within 10)" port_answers "$files_port" || fail "firmware_server did not start"
}
pin_served_at() { # PORT: SPKI pin of the certificate that is shown there now
  openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null | openssl x509 2>/dev/null >"$work/shown.pem"
  "$bin/otaria" --json cert show "$work/shown.pem" | jq -r '.items[0].spki_pin'
}
pin_of() { "$bin/otaria" --json cert show "$1" | jq -r '.items[0].spki_pin'; }  # FILE

# --- the stack ---------------------------------------------------------------------------------------------------

start_stack() {
  start_broker_and_observer
  start_server
}

start_broker_and_observer() {
  seen=$work/seen.jsonl
  : >"$seen"
  local try
  # Between the look for a free port and its use another case may take it: then the broker ends at once.
  for try in 1 2 3; do
    broker_port=$(free_port)
    if start_broker broker "$broker_port" "$work/broker" "${broker_tls[@]}"; then break; fi
    [ "$try" -lt 3 ] || fail "Mosquitto did not start: $(tail -n 5 "$work/broker.log")"
  done
  start_observer
}

observer_connects_again() { [ "$(grep -c " as $observer_id " "$work/broker.log" || :)" -gt "$observed" ]; }
start_observer() {
  observed=$(grep -c " as $observer_id " "$work/broker.log" || :)
  # A persistent session: what is published while the observer is away or the broker restarts is kept for it.
  # From $work/observer/mosquitto_sub come name and token, where the broker asks for them.
  XDG_CONFIG_HOME=$work/observer mosquitto_sub "${mqtt_tls[@]}" -h 127.0.0.1 -p "$broker_port" -i "$observer_id" -c -q 1 -t '+/ota/status' -t '+/ota/state' -F '%j' \
    >>"$seen" 2>>"$work/observer.log" </dev/null &
  process_ids[observer]=$!
  wait_until "$(within 10)" observer_connects_again || fail "the observer did not connect"
}

restart_broker() {  # [SECONDS_DOWN]
  stop broker
  sleep "${1:-0}"
  start_broker broker "$broker_port" "$work/broker" "${broker_tls[@]}" || fail "Mosquitto did not start again"
}

broker_url() { echo "mqtt${tls:+s}://127.0.0.1:$broker_port"; }
server_url() { echo "http${tls:+s}://127.0.0.1:$http_port"; }

start_server() {
  local try flags=()
  [ -z "$tls" ] || flags=(--config "$work/otaria.toml" --certificate "$tls/server/server.pem" --private-key "$tls/server/server.key")
  for try in 1 2 3; do
    [ -n "$http_port" ] || http_port=$(free_port)
    spawn otariad "$bin/otariad" --data "$work/server" --http "127.0.0.1:$http_port" --mqtt "$(broker_url)" \
      --public-url "$(server_url)" --access tokens "${flags[@]}"
    if wait_until "$(within 15)" port_answers_or_dead otariad "$http_port" && is_running otariad; then break; fi
    [ "$try" -lt 3 ] || fail "otariad did not start: $(tail -n 5 "$work/otariad.log")"
    http_port=
  done
  wait_until "$(within 15)" server_is_ready || fail "otariad did not become ready: $(tail -n 5 "$work/otariad.log")"
  use_token "$work/server/bootstrap-token"
}
# What otaria, api and offer_hosted show the server from now on. curl reads the header from a file: an argument would
# stand in every process list.
use_token() {  # FILE
  export OTARIA_TOKEN_FILE=$1
  (umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$1")" >"$work/authorization")
}
server_is_ready() { curl "${http_tls[@]}" -sf -m 2 -o /dev/null "$(server_url)/readyz"; }

# A file server beside otariad that misbehaves as the URL says (hostile_server.py); serves $work/files. With start_files FOLDER
# it speaks HTTPS and shows the certificate in $tls/FOLDER. A second call takes the place of the first, at the same port.
start_files() {
  local flags=()
  stop files
  [ $# -eq 0 ] || flags=(--certificate "$tls/$1/server.pem" --private-key "$tls/$1/server.key")
  files_scheme=http${1:+s}
  served=$work/served.jsonl
  : >"$served"
  mkdir -p "$work/files"
  [ -n "$files_port" ] || files_port=$(free_port)
  spawn files "$python" "$tests_lib/hostile_server.py" --port "$files_port" --dir "$work/files" --log "$served" "${flags[@]}"
  wait_until "$(within 10)" port_answers "$files_port" || fail "the file server did not start"
}
file_url() { echo "$files_scheme://127.0.0.1:$files_port/$1/$2"; }  # BEHAVIOURS NAME
bytes_served() { jq -s 'map(.sent) | add // 0' "$served"; }
requests_served() { jq -s length "$served"; }
requests_served_at_least() { [ "$(requests_served)" -ge "$1" ]; }

otaria() { "$bin/otaria" --server "$(server_url)" "$@"; }
api() { curl "${http_tls[@]}" -sf -m 10 -H @"$work/authorization" "$(server_url)/api/v1$1"; }  # PATH

# --- images ------------------------------------------------------------------------------------------------------

make_image() {  # FILE VERSION [FLAGS OF image make…]
  local file=$1 version=$2 flags=()
  shift 2
  [[ " $* " == *" --size "* ]] || flags+=(--size 400000)
  "$bin/otaria" image make "$file" --version "$version" --project sensor "${flags[@]}" "$@" >/dev/null ||
    fail "otaria image make $file --version $version $*"
}
digest_of() { sha256sum "$1" | cut -d' ' -f1; }
size_of() { stat -c %s "$1"; }

# --- devices -----------------------------------------------------------------------------------------------------

# provision ID VERSION [FLAGS…]: a development device with an image of that version in ota_0.
provision() {
  local id=$1 version=$2
  shift 2
  [ -z "$tls" ] || set -- --ca "$tls/ca.pem" "$@"
  [ -e "$work/factory-$version.bin" ] || make_image "$work/factory-$version.bin" "$version"
  "$bin/otaria-device" --flash "$work/$id.flash" --factory "$work/factory-$version.bin" --id "$id" --development \
    --product sensor --app-version "$version" "$@" >>"$work/provision.log" 2>&1 ||
    fail "provisioning $id: $(tail -n 3 "$work/provision.log")"
}
run_device() {  # ID [FLAGS…]
  local id=$1 flags=()
  shift
  # Waiting times of the field would make every case a minute long; a case that names its own keeps it.
  [[ " $* " == *" --retry-first-ms "* ]] || flags+=(--retry-first-ms 100)
  [[ " $* " == *" --trial-timeout "* ]] || flags+=(--trial-timeout "$(within 20)")
  spawn "$id" "$bin/otaria-device" --flash "$work/$id.flash" --mqtt "$(broker_url)" "${flags[@]}" "$@"
}
# device ID VERSION [RUN FLAGS…]: provisioned, running and seen online.
device() {
  local id=$1 version=$2
  shift 2
  provision "$id" "$version"
  run_device "$id" "$@"
  wait_for_state "$id" online=true "version=\"$version\"" >/dev/null
}
# What the flash file holds, read while the device is stopped: a JSON object.
device_info() { "$bin/otaria-device" --flash "$work/$1.flash" --info --json; }

# The proof by flash: which version a stopped device runs at its next start, and whether it is confirmed.
expect_device_runs() {  # ID VERSION
  local info
  stop "$1"
  info=$(device_info "$1")
  expect_equal "version in the flash of $1" "$2" "$(member "$info" version)"
  expect_equal "confirmed in the flash of $1" true "$(member "$info" confirmed)"
}

# --- offers ------------------------------------------------------------------------------------------------------

publish_release() {  # FILE VERSION [FLAGS…]
  local file=$1 version=$2
  shift 2
  otaria release publish "$file" --version "$version" --product sensor "$@" >>"$work/publish.log" 2>&1 ||
    fail "publishing $version: $(tail -n 3 "$work/publish.log")"
}
# A notice straight to the broker, as any client of the contract may send it: ID JSON
send_notice() { mosquitto_pub "${mqtt_tls[@]}" -h 127.0.0.1 -p "$broker_port" -q 1 -r -t "$1/firmware/update" -m "$2"; }
# notice VERSION URL FILE [MEMBER=JSON…]: its text; a member set to null is left out. With an `update` of its own the
# observer can follow it. Not beside otariad when the device restarts meanwhile: it withdraws what it does not know.
notice() {
  local version=$1 url=$2 file=$3 extra='{}' pair
  shift 3
  for pair in "$@"; do extra=$(jq -c --argjson value "${pair#*=}" --arg name "${pair%%=*}" '.[$name] = $value' <<<"$extra"); done
  jq -cn --arg version "$version" --arg url "$url" --arg signature "$(digest_of "$file")" --argjson size "$(size_of "$file")" \
    --argjson extra "$extra" '{version: $version, url: $url, signature: $signature, size: $size} + $extra | with_entries(select(.value != null))'
}

# The same through otariad, for a file that lies elsewhere: offer_hosted ID VERSION URL FILE; prints the update's id.
offer_hosted() {
  jq -cn --arg device "$1" --arg version "$2" --arg url "$3" --arg signature "$(digest_of "$4")" --argjson size "$(size_of "$4")" \
    '{devices: [$device], version: $version, url: $url, signature: $signature, size: $size}' |
    curl "${http_tls[@]}" -sS --fail-with-body -m 10 -H @"$work/authorization" -H 'Content-Type: application/json' -d @- "$(server_url)/api/v1/updates" | jq -er '.items[0].id' ||
    fail "otariad did not take an update of $1 to $2 at $3"
}
# offer ID VERSION [FLAGS OF update send…]: through otaria; prints the update's id.
offer() {
  local id=$1 version=$2
  shift 2
  otaria --json update send "$id" --release "$version" "$@" | jq -er '.items[0].id' || fail "otaria update send $id --release $version"
}

# --- what the observer saw ---------------------------------------------------------------------------------------

observer() {
  local verb=$1
  shift
  "$python" "$tests_lib/observer.py" "$verb" "$seen" "$@"
}
# wait_for_status ID STATE [--code C] [--update U] [--timeout S]…: prints the status.
wait_for_status() {
  local id=$1 state=$2
  shift 2
  observer wait --device "$id" --state "$state" --timeout "$(within 30)" "$@" ||
    fail "$id did not report $state $*; it reported: $(observer states --device "$id")"
}
wait_for_state() {  # ID MEMBER=JSON…: prints the state
  local id=$1 members=() one
  shift
  for one in "$@"; do members+=(--member "$one"); done
  observer wait-state --device "$id" --timeout "$(within 30)" "${members[@]}" ||
    fail "$id did not publish a state with $*"
}
newest_state() { observer newest-state --device "$1"; }  # ID: the newest state with all members
states_of() { observer states --device "$@"; }  # ID [--update U]
expect_states() {  # ID "STATES IN ORDER" [--update U]
  local id=$1 expected=$2
  shift 2
  expect_equal "states of $id" "$expected" "$(states_of "$id" "$@")"
}
