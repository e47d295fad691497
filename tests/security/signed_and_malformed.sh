# A manifest that a release key has signed and that is not of the signed JSON profile ends in bad_notice, whatever it says
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
payload_of "$work/files/$manifest" >"$work/good.json"
count=0
attack() {  # the payload is in $work/payload
  count=$((count + 1))
  forge_raw manifest "$signer" "$work/payload" >"$work/files/$manifest"
  send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" "update=\"malformed-$count\"")"
  expect_refused sensor_A1B2 "malformed-$count" bad_notice 1.3.0
}
as_it_stands() { sed "$1" "$work/good.json" >"$work/payload"; }
good=$(cat "$work/good.json")
for change in 's/^{/{"version":"9.9.9",/' 's/"size":/"size":-/' 's/"size":\([0-9]*\)/"size":\1.0/' 's/"size":\([0-9]*\)/"size":\1e0/' \
  's/"size":/"size":0/' 's/"size":[0-9]*/"size":4294967296/' 's/"version":"/"version":"\\u0031/' 's/"version":"[^"]*"/"version":null/' \
  's/"fmt":1/"fmt":2/' 's/^{/{"crit":["enc"],"enc":1,/' 's/^{/{"Upper":1,/' 's/^{/{"a":[[[[[1]]]]],/' 's/"sha256":"[^"]*",\{0,1\}//' 's/$/ {}/' 's/}$//' \
  's/"chip":"esp32s3"/"chip":7/'; do
  as_it_stands "$change"
  [ "$(cat "$work/payload")" != "$good" ] || fail "$change changes nothing"
  attack
done
printf '\357\273\277%s' "$good" >"$work/payload"
attack
printf '[%s]' "$good" >"$work/payload"
attack
expect_no_image_fetched
takes_honest_update sensor_A1B2 1.4.1
