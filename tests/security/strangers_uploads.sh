# Uploads of strangers are refused by their head, with 401 or 403, and take no place and no disk from an operator's
# shellcheck shell=bash disable=SC2154
start_stack
device sensor_A1B2 1.3.0
otaria token create --role viewer --out "$work/viewer.token" >/dev/null || fail "no token"
(umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$work/viewer.token")" >"$work/viewer-header")
head -c 1000000 /dev/zero >"$work/body"
upload() {  # PATH [FLAGS OF curl…]: prints status and code
  local path=$1
  shift
  echo "$(curl -s -m 20 -o "$work/answer" -w '%{http_code}' -H 'Expect:' --data-binary @"$work/body" "$@" "$(server_url)/api/v1$path") $(jq -r '.code // empty' "$work/answer")"
}
for path in /releases /updates /devices/import /claims; do
  expect_equal "a stranger's upload to $path" "401 token_required" "$(upload "$path")"
  expect_equal "a viewer's upload to $path" "403 forbidden" "$(upload "$path" -H @"$work/viewer-header")"
done
expect_equal "an upload with an invented token" "401 token_invalid" "$(upload /releases -H 'Authorization: Bearer invented')"

# More slow ones than the server has places for uploads: none of them holds one.
for i in $(seq 20); do
  spawn "stranger$i" curl -s -m 30 --limit-rate 10k -H 'Expect:' --data-binary @"$work/body" "$(server_url)/api/v1/releases"
done
make_image "$work/new.bin" 1.4.0 --size 1000000
publish_release "$work/new.bin" 1.4.0
unnamed() { find "/proc/${process_ids[otariad]}/fd" -lname "$work/*(deleted)" | wc -l; }
expect_equal "unnamed files that otariad holds" 0 "$(unnamed)"
expect_exit 0 otaria update send sensor_A1B2 --release 1.4.0 --wait
expect_device_runs sensor_A1B2 1.4.0
