# With a stolen publisher's token nothing is published that no release key signed for just that: unknown_key, bad_signature, digest_mismatch and their like
# shellcheck shell=bash disable=SC2154
start_stack
make_keys
otaria keylist publish "$list" >>"$work/publish.log" || fail "the key list was not published"
otaria token create --role publisher --name stolen --out "$work/stolen.token" >/dev/null || fail "no token"
use_token "$work/stolen.token"
mkdir "$work/files"
make_image "$work/one.bin" 1.4.0 --size 100000 --seed 1
make_image "$work/two.bin" 1.4.0 --size 100000 --seed 2
good=$(sign_release "$work/one.bin" 1.4.0)
upload() {  # IMAGE MANIFEST [QUERY]: prints status and code
  (umask 077 && printf 'Otaria-Manifest: %s\n' "$(basenc --base64url -w0 "$2" | tr -d =)" >"$work/manifest-header")
  echo "$(curl -s --path-as-is -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/authorization" -H @"$work/manifest-header" -H 'Expect:' \
    --data-binary @"$1" "$(server_url)/api/v1/releases${3:-}") $(jq -r '.code // empty' "$work/body")"
}
attack() {  # CODE IMAGE MANIFEST [QUERY]
  local wanted=$1 answer
  shift
  answer=$(upload "$@")
  expect_equal "code of ${*##*/}" "$wanted" "${answer#* }"
  case "$answer" in 4??\ *) ;; *) fail "${*##*/} is answered with $answer" ;; esac
}
make_key release "$keys/stranger.key"
forge manifest "$keys/stranger.key" "$work/files/$good" >"$work/stranger.jws"
attack unknown_key "$work/one.bin" "$work/stranger.jws"
forge manifest "$keys/root-a.key" "$work/files/$good" >"$work/root.jws"
attack unknown_key "$work/one.bin" "$work/root.jws"
forge keys "$signer" "$work/files/$good" >"$work/kind.jws"
attack bad_signature "$work/one.bin" "$work/kind.jws"
sed 's/\.[^.]*$/.AAAA/' "$work/files/$good" >"$work/cut.jws"
attack bad_signature "$work/one.bin" "$work/cut.jws"
attack manifest_mismatch "$work/two.bin" "$work/files/$good"
attack manifest_mismatch "$work/one.bin" "$work/files/$good" '?version=9.9.9'
attack manifest_mismatch "$work/one.bin" "$work/files/$good" '?product=pump'

# Even by the release key itself: names that would be paths, and figures that no device would take.
for change in 'release="../../../../tmp/evil"' 'product="../../etc"' 'channel="../x"' 'version="../1.0.0"' 'hardware=["../x"]'; do
  forge manifest "$signer" "$work/files/$good" "$change" >"$work/named.jws"
  attack bad_notice "$work/one.bin" "$work/named.jws"
done
forge manifest "$signer" "$work/files/$good" 'security_counter=5000' >"$work/leap.jws"
attack security_counter "$work/one.bin" "$work/leap.jws"
head -c 6000 /dev/zero | tr '\0' A >"$work/huge.jws"
attack headers_too_large "$work/one.bin" "$work/huge.jws"

# The token opens nothing else: no update, no key list, no device.
for call in "POST updates" "PUT keylist" "POST devices/import" "POST claims" "POST tokens" "POST issuer/rotate"; do
  expect_equal "the publisher's token at $call" "403 forbidden" "$(curl -s -m 10 -o "$work/body" -w '%{http_code}' -X "${call% *}" -H @"$work/authorization" \
    -H 'Content-Type: application/json' -d '{}' "$(server_url)/api/v1/${call#* }") $(jq -r .code "$work/body")"
done
expect_equal "releases after all that" 0 "$(api /releases | jq '.items | length')"
expect_equal "the honest upload" "201 " "$(upload "$work/one.bin" "$work/files/$good")"
