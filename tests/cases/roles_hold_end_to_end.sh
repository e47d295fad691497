# Each operator's token does what its role says and nothing else, through otaria; a file that others may read is not used
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
make_image "$work/sensor-1.4.0.bin" 1.4.0
for role in viewer publisher operator auditor; do
  otaria token create --role "$role" --name "$role" --out "$work/$role.token" >/dev/null || fail "no token for $role"
  expect_equal "mode of $role.token" 600 "$(stat -c %a "$work/$role.token")"
done
otaria token create --role agent-ci --product pump --out "$work/ci.token" >/dev/null || fail "no token for the build server"

as() {  # ROLE COMMAND…
  local file=$work/$1.token
  shift
  "$bin/otaria" --server "$(server_url)" --token-file "$file" "$@"
}
expect_exit 3 as viewer release publish "$work/sensor-1.4.0.bin" --product sensor
expect_contains "the refusal" "forbidden" "$output"
expect_contains "its hint" "publisher" "$output"
expect_exit 3 as ci release publish "$work/sensor-1.4.0.bin" --product sensor
expect_contains "the refusal" "for the product pump only" "$output"
expect_exit 0 as publisher release publish "$work/sensor-1.4.0.bin" --product sensor
expect_exit 3 as publisher update send sensor_A1B2 --release 1.4.0
expect_exit 3 as operator audit list
expect_exit 0 as operator update send sensor_A1B2 --release 1.4.0 --wait

expect_exit 3 as auditor token list
expect_exit 0 as auditor --json audit list --verb update.send
operator=$(otaria --json token list | jq -r '.items[] | select(.name == "operator") | .id')
expect_equal "who sent the update, by the audit log" "ota_$operator" "$(jq -r '.items[0].actor' <<<"$output")"

otaria token revoke "$operator" >/dev/null || fail "the token was not revoked"
expect_exit 3 as operator device list
expect_contains "what a revoked token hears" "token_revoked" "$output"
chmod 640 "$work/viewer.token"
expect_exit 2 as viewer device list
expect_contains "what to do" "chmod 600" "$output"
unset OTARIA_TOKEN_FILE
expect_exit 3 otaria device list
expect_contains "what somebody without a token hears" "OTARIA_TOKEN_FILE" "$output"
