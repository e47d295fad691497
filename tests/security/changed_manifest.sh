# One changed byte in a manifest's header, payload or signature ends in bad_signature; so does another kind of signed file
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
cp "$work/files/$manifest" "$work/good.jws"

attack() {  # NAME; the file is in place
  send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" "update=\"$1\"")"
  expect_refused sensor_A1B2 "$1" bad_signature 1.3.0
}
# The payload of a release that the thief would like, under the signature of the honest one.
IFS=. read -r header payload signature <"$work/good.jws"
forge manifest "$signer" "$work/good.jws" 'security_counter=200' >"$work/wanted.jws"
printf '%s.%s.%s\n' "$header" "$(cut -d. -f2 "$work/wanted.jws")" "$signature" >"$work/files/$manifest"
attack payload
flip() { if [ "$1" = A ]; then echo B; else echo A; fi; }
printf '%s.%s.%s%s\n' "$header" "$payload" "$(flip "${signature:0:1}")" "${signature:1}" >"$work/files/$manifest"
attack signature
none=$(printf '{"alg":"none","kid":"%s","typ":"otaria-manifest+jws"}' "$(key_id "$signer")" | basenc --base64url -w0 | tr -d =)
printf '%s.%s.%s\n' "$none" "$payload" "$signature" >"$work/files/$manifest"
attack alg-none
printf '%s.%s.\n' "$none" "$payload" >"$work/files/$manifest"
attack alg-none-without-signature
forge keys "$signer" "$work/good.jws" >"$work/files/$manifest"
attack another-kind
printf 'garbage\n' >"$work/files/$manifest"
attack garbage
expect_no_image_fetched

cp "$work/good.jws" "$work/files/$manifest"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="honest"')"
wait_for_status sensor_A1B2 succeeded --update honest >/dev/null
expect_device_runs sensor_A1B2 1.4.0
