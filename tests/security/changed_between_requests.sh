# A server that sends another file at the second request, under the same name and ETag, changes nothing: digest_mismatch, and a manifest is asked for once
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0 --size 200000 --seed 1
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
# The same release in all but its bytes: genuine header, descriptor and sizes.
make_image "$work/files/new.bin.swapped" 1.4.0 --size 200000 --seed 2
cmp -s "$work/files/new.bin" "$work/files/new.bin.swapped" && fail "the other image is the same"
expect_equal "size of the other image" "$(size_of "$work/files/new.bin")" "$(size_of "$work/files/new.bin.swapped")"

# The honest beginning, then a break, and the rest of the other.
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="rest"' "url=\"$(file_url break-100000+swapped new.bin)\"")"
wait_for_status sensor_A1B2 failed --update rest --code digest_mismatch >/dev/null
resumed=$(jq -s 'map(select(.path | endswith("/new.bin")) | select(.status == 206)) | length' "$served")
[ "$resumed" -ge 1 ] || fail "the download was not resumed: $(cat "$served")"

# An honest manifest at the first request, a thief's at any later one: there is no later one, and what counts is the first.
cp "$work/files/$manifest" "$work/files/$manifest.swapped"
make_key release "$keys/stranger.key"
forge manifest "$keys/stranger.key" "$work/files/$manifest" 'version="9.9.9"' >"$work/files/$manifest.swapped"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="manifest"' "manifest=\"$(file_url swapped "$manifest")\"" \
  "url=\"$(file_url break-50000 new.bin)\"")"
wait_for_status sensor_A1B2 succeeded --update manifest >/dev/null
expect_equal "requests for the manifest" 1 "$(jq -s --arg name "/swapped/$manifest" 'map(select(.path == $name)) | length' "$served")"
expect_equal "image in use" "$(digest_of "$work/files/new.bin")" "$(member "$(newest_state sensor_A1B2)" image)"
takes_honest_update sensor_A1B2 1.4.1
