# A key list that too few roots in force have signed is not taken, whoever hands it out: the old list judges on
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_key release "$keys/stranger.key"
make_image "$work/files/evil.bin" 1.4.0
manifest=$(sign_release "$work/files/evil.bin" 1.4.0)
forge_manifest "$keys/stranger.key" "$manifest"

asked() { jq -s 'map(select(.path == "/keys.jws" and .status == 200)) | length' "$served"; }
attack() {  # NAME; the list is served
  local before
  before=$(asked)
  send_notice sensor_A1B2 "$(signed_notice 1.4.0 evil.bin "$manifest" "update=\"$1\"")"
  expect_refused sensor_A1B2 "$1" unknown_key 1.3.0
  [ "$(asked)" -gt "$before" ] || fail "the device did not fetch the list of $1"
  expect_equal "serial of the list in force after $1" 1 "$(member "$(newest_state sensor_A1B2)" keys)"
}
# Strangers' own roots, all of them.
for name in x y; do make_key root "$keys/root-$name.key"; done
key_tool keylist make --root "$keys/root-x.key" --root "$keys/root-y.key" --release "$keys/stranger.key" --threshold-root 2 --out "$keys/first.json"
jq -c '.serial = 2' "$keys/first.json" >"$keys/strangers.json"
key_tool keylist sign "$keys/strangers.json" --key "$keys/root-x.key" --out "$keys/strangers.jws"
key_tool keylist sign "$keys/strangers.jws" --key "$keys/root-y.key"
serve_list "$keys/strangers.jws" 2
attack strangers
# One stolen root of the three, where two must sign.
key_tool keylist make --from "$list" --release "$keys/stranger.key" --out "$keys/one.json"
key_tool keylist sign "$keys/one.json" --key "$keys/root-a.key" --out "$keys/one.jws"
serve_list "$keys/one.jws" 2
attack one-root
# The same root twice.
forge keys "$keys/root-a.key" "$keys/one.jws" >"$keys/once.jws"
IFS=. read -r header _ signature <"$keys/once.jws"
{ cat "$keys/once.jws" && printf '%s..%s\n' "$header" "$signature"; } >"$keys/twice.jws"
serve_list "$keys/twice.jws" 2
attack one-root-twice
# A release key may not sign lists.
forge keys "$signer" "$keys/one.jws" >"$keys/by-release.jws"
serve_list "$keys/by-release.jws" 2
attack release-key
expect_no_image_fetched
takes_honest_update sensor_A1B2 1.4.1
