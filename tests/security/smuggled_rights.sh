# Rights that a device writes into its request never get into its token, and the token opens nothing but the device's own topics
# shellcheck shell=bash disable=SC2154
start_production
registered_program sensor_EEEE a4cf12e0eeee
smuggled=('acl={"all":["#"],"pub":["#"],"sub":["#"]}' 'is_superuser=true' 'clientid="otariad-1"' 'username="otariad-1"' 'roles=["admin"]'
  'scope="otaria.tag:administrator otaria.read:*/*"' 'client_attrs={"role":"admin"}' 'clientid_override="otariad-1"' 'exp=4000000000' 'id="sensor_A1B2"')
expect_equal "answer to a request full of rights" 200 "$(ask_token smuggler "$work/sensor_EEEE.key" a4cf12e0eeee "${smuggled[@]}")"
(umask 077 && jq -r .token "$work/smuggler.answer" >"$work/smuggler.token")
claims=$(payload_of "$work/smuggler.token")
expect_equal "members of the token" "acl aud clientid exp iat iss jti sub username" "$(jq -r 'keys | join(" ")' <<<"$claims")"
expect_equal "its rights" '{"pub":["sensor_EEEE/ota/status","sensor_EEEE/ota/state","sensor_EEEE/telemetry"],"sub":["sensor_EEEE/firmware/update"]}' \
  "$(jq -cS .acl <<<"$claims")"
expect_equal "who it is for" "a4cf12e0eeee a4cf12e0eeee sensor_EEEE 86400" "$(jq -r '"\(.sub) \(.username) \(.clientid) \(.exp - .iat)"' <<<"$claims")"
# What is critical to the sender is not understood: refused rather than passed over.
expect_equal "a request with crit" "400 bad_request" "$(ask_token crit "$work/sensor_EEEE.key" a4cf12e0eeee 'crit=["acl"]' 'acl="#"') $(jq -r .code "$work/crit.answer")"

hostile_mqtt sensor_EEEE a4cf12e0eeee "$work/smuggler.token" subscribe '#' subscribe +/ota/status subscribe sensor_EEEE/firmware/update >"$work/out"
expect_equal "what it may subscribe to" "connect 0
subscribe # 128
subscribe +/ota/status 128
subscribe sensor_EEEE/firmware/update 1" "$(cat "$work/out")"
broker_refuses otariad-1 otariad-1 "$work/smuggler.token"

# A device's token is no operator's, wherever it is shown.
(umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$work/smuggler.token")" >"$work/bearer")
for call in "GET releases" "GET devices" "POST broker-tokens" "POST devices/import" "POST issuer/rotate" "POST updates" "GET audit" "POST tokens"; do
  expect_equal "the device's token at $call" 401 "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -X "${call% *}" -H @"$work/bearer" \
    -H 'Content-Type: application/json' -d '{}' "$(server_url)/api/v1/${call#* }")"
done
registered_device sensor_A1B2 1.3.0
takes_sent_update sensor_A1B2 1.4.0
