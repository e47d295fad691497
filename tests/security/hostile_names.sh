# Ids and names with slashes, dots or wildcards become neither topics nor paths: they are refused at import, claim, update and release, and the broker hears nothing
# shellcheck shell=bash disable=SC2154,SC2016,SC2034
start_stack
mosquitto_sub -h 127.0.0.1 -p "$broker_port" -i all-ears -t '#' -F '%t' >"$work/topics" 2>/dev/null </dev/null &
process_ids[all-ears]=$!
ears() { grep -q ' as all-ears ' "$work/broker.log"; }
wait_until "$(within 10)" ears || fail "nobody listens"
post() {  # PATH BODY [TYPE]: prints status and code
  echo "$(curl -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/authorization" -H "Content-Type: ${3:-application/json}" --data-binary "$2" \
    "$(server_url)/api/v1/$1") $(jq -r '.code // empty' "$work/body")"
}
long=$(head -c 33 /dev/zero | tr '\0' a)
openssl ecparam -name prime256v1 -genkey -noout -out "$work/device.pem"
pub=$(openssl pkey -in "$work/device.pem" -pubout -outform DER | tail -c 64 | basenc --base64url -w0 | tr -d =)
digest=$(head -c 64 /dev/zero | tr '\0' a)
for id in '+' '#' 'a/b' '../x' '..' 'a b' 'a.b' '$SYS' $'a\nb' 'sensor_A1B2/firmware/update' "$long" 'é'; do
  update=$(jq -cn --arg id "$id" --arg digest "$digest" '{devices: [$id], version: "1.4.0", url: "http://127.0.0.1/x.bin", signature: $digest}')
  expect_equal "update of '$id'" "404 unknown_device" "$(post updates "$update")"
  expect_equal "import of '$id'" "422 import_refused" "$(post devices/import "$(jq -cn --arg id "$id" --arg pub "$pub" '[{id: $id, mac: "a4cf12e0a1b2", public_key: $pub}]')")"
  expect_equal "claim for '$id'" "400 bad_request" "$(post claims "$(jq -cn --arg id "$id" '{devices: [{id: $id}]}')")"
  expect_equal "broker token for '$id'" "400 bad_request" "$(post broker-tokens "$(jq -cn --arg name "otariad-$id" '{name: $name}')")"
done
for mac in '../../etc' 'A4:CF:12:E0:A1:B2/x' 'a4cf12e0a1b' "a4cf12e0a1b2'; DROP TABLE device; --"; do
  expect_equal "import of MAC $mac" "422 import_refused" "$(post devices/import "$(jq -cn --arg mac "$mac" --arg pub "$pub" '[{mac: $mac, public_key: $pub}]')")"
done
# Devices by their words: the topic names the device, and a message that names another is none.
for topic in 'a.b/ota/state' "$long/ota/state" 'sensor_A1B2/ota/state'; do
  mosquitto_pub -h 127.0.0.1 -p "$broker_port" -q 1 -t "$topic" -m '{"id":"../../x","mac":"a4cf12e0a1b2","online":true,"session":1,"version":"1.3.0","seq":1}'
done
make_image "$work/new.bin" 1.4.0 --size 100000
expect_equal "release with a path for a version" "422 bad_version" "$(post 'releases?version=../1.4.0' @"$work/new.bin" application/octet-stream)"
for query in 'version=1.4.0&product=../../etc' 'version=1.4.0&product=a%2fb' 'version=1.4.0&channel=..%2f..' 'version=1.4.0&hardware=..%2fx'; do
  expect_equal "release with $query" "400 bad_request" "$(post "releases?$query" @"$work/new.bin" application/octet-stream)"
done
counted() { [ "$(curl -sf -m 10 -H @"$work/authorization" "$(server_url)/metrics" | awk '$1 == "otaria_bad_messages_total" {print $2}')" -ge 3 ]; }
wait_until "$(within 20)" counted || fail "the server did not count the messages that are none"
expect_equal "devices and releases after all that" "0 0 0" \
  "$(api /devices | jq '.items | length') $(api /identities | jq '.items | length') $(api /releases | jq '.items | length')"
expect_equal "topics that were published to" "$(printf '%s\n' 'a.b/ota/state' "$long/ota/state" 'sensor_A1B2/ota/state')" "$(cat "$work/topics")"
seen=  # what was said there breaks the contract; its rules are for devices
server_is_ready || fail "otariad does not answer any more"
