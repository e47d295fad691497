# Keys that are no point of P-256 (P-384, RSA, off the curve) enter nowhere: import, enrolment, assertion, key list, issuer's key set, each with its code
# shellcheck shell=bash disable=SC2154
start_production
for kind in p256 p384 rsa; do hostile_tokens key "$kind" "$work/$kind.key"; done
mac=a4cf12e0bbbb
good=$(hostile_tokens public "$work/p256.key")
# X of a good key with a Y that is not its own; nothing at all; 96 bytes of P-384.
declare -A points=([off-curve]="${good:0:43}$(head -c 43 /dev/zero | tr '\0' C)" [zero]=$(head -c 86 /dev/zero | tr '\0' A) [p384]=$(hostile_tokens public "$work/p384.key"))

# Import, as base64url and as PEM.
refused_import() {  # NAME PUBLIC_KEY
  jq -n --arg mac "$mac" --arg key "$2" '[{mac: $mac, public_key: $key}]' >"$work/import.json"
  expect_exit 3 otaria --json device import "$work/import.json"
  expect_contains "what the import of $1 is told" import_refused "$output"
  expect_contains "what the import of $1 is told" "P-256" "$output"
}
for name in "${!points[@]}"; do refused_import "$name" "${points[$name]}"; done
for kind in p384 rsa; do refused_import "$kind PEM" "$(hostile_tokens pem "$work/$kind.key")"; done

# Enrolment with a claim that is good, signed as such keys sign, and by a good key for a bad one.
claim=$(otaria --json device claim "$mac" | jq -r '.items[0].claim')
refused_enrolment() {  # NAME KEY PUBLIC_KEY [HEADER…]
  local name=$1 key=$2 public=$3
  shift 3
  hostile_tokens jws "$key" otaria-enrol+jws "mac=\"$mac\"" "pub=\"$public\"" "claim=\"$claim\"" "nonce=\"$(nonce)\"" "$@" >"$work/enrol.jws"
  expect_equal "enrolment: $name" "400 bad_request" "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' \
    --data-binary @"$work/enrol.jws" "$(server_url)/api/v1/device/enrol") $(jq -r .code "$work/body")"
}
for name in "${!points[@]}"; do refused_enrolment "$name" "$work/p256.key" "${points[$name]}"; done
refused_enrolment "P-384 and ES384" "$work/p384.key" "${points[p384]}"
refused_enrolment "P-384 that calls itself ES256" "$work/p384.key" "${points[p384]}" 'HEADER.alg="ES256"'
refused_enrolment "P-384 for a P-256 key" "$work/p384.key" "$good" 'HEADER.alg="ES256"'
refused_enrolment "RS256" "$work/rsa.key" "$good"
refused_enrolment "RS256 that calls itself ES256" "$work/rsa.key" "$good" 'HEADER.alg="ES256"'
expect_equal "state of the MAC" pending "$(otaria --json device identities | jq -r --arg mac "$mac" '.items[] | select(.mac == $mac) | .state')"

# The claim is unspent: the good key enrols with it, and asserts; the others' assertions in its name are none.
hostile_tokens jws "$work/p256.key" otaria-enrol+jws "mac=\"$mac\"" "pub=\"$good\"" "claim=\"$claim\"" "nonce=\"$(nonce)\"" >"$work/enrol.jws"
expect_equal "enrolment of a good key" 201 "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' \
  --data-binary @"$work/enrol.jws" "$(server_url)/api/v1/device/enrol")"
code() { jq -r .code "$work/$1.answer"; }
kid="HEADER.kid=\"$(key_id "$work/p256.key")\""
expect_equal "assertion by P-384" "400 bad_request" "$(ask_token p384 "$work/p384.key" "$mac" "$kid") $(code p384)"
# A signature that is none by its key sounds like a stranger's: nobody learns whether the MAC exists.
expect_equal "assertion by P-384 as ES256" "403 not_enrolled" "$(ask_token p384 "$work/p384.key" "$mac" "$kid" 'HEADER.alg="ES256"') $(code p384)"
expect_equal "assertion by RSA" "400 bad_request" "$(ask_token rsa "$work/rsa.key" "$mac" "$kid") $(code rsa)"
hostile_tokens key p256 "$work/stranger.key"
expect_equal "assertion by a stranger's P-256" "403 not_enrolled" "$(ask_token stranger "$work/stranger.key" "$mac" "$kid") $(code stranger)"
expect_equal "assertion by the good key" 200 "$(ask_token good "$work/p256.key" "$mac")"

# A list that two roots have signed, but whose release key is no point: the server does not take it.
jq -c --arg pub "${points[off-curve]}" '.serial = 2 | (.keys[] | select(.roles == ["release"])).pub = $pub' "$keys/1.json" >"$keys/2.json"
{ forge keys "$keys/root-a.key" "$keys/2.json" && forge keys "$keys/root-b.key" "$keys/2.json" | sed 's/\.[^.]*\./../'; } >"$keys/2.jws"
expect_equal "answer to that list" "422 bad_keylist" "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -X PUT -H @"$work/authorization" \
  -H 'Content-Type: application/jose' --data-binary @"$keys/2.jws" "$(server_url)/api/v1/keylist") $(jq -r .code "$work/body")"
curl "${http_tls[@]}" -sf -m 10 -o "$work/keys.jws" "$(server_url)/keys.jws" || fail "no key list"
expect_equal "serial of the newest key list" 1 "$(payload_of "$work/keys.jws" | jq .serial)"

registered_device sensor_A1B2 1.3.0
takes_sent_update sensor_A1B2 1.4.0
