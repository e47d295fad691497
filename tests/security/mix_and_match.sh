# Parts of two signed releases do not make a third: manifest_mismatch before the download, digest_mismatch after it
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/one.bin" 1.4.0 --size 100000 --seed 1
make_image "$work/files/two.bin" 1.5.0 --size 100000 --seed 2
one=$(sign_release "$work/files/one.bin" 1.4.0)
two=$(sign_release "$work/files/two.bin" 1.5.0)

# The notice of one release with the manifest of the other, and with each of its members exchanged.
send_notice sensor_A1B2 "$(signed_notice 1.5.0 two.bin "$one" 'update="other-manifest"')"
expect_refused sensor_A1B2 other-manifest manifest_mismatch 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 two.bin "$one" 'update="other-digest"')"
expect_refused sensor_A1B2 other-digest manifest_mismatch 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 one.bin "$one" 'update="other-size"' size=100001)"
expect_refused sensor_A1B2 other-size manifest_mismatch 1.3.0
cp "$work/files/$one" "$work/files/$two"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 one.bin "$two" 'update="other-id"')"
expect_refused sensor_A1B2 other-id manifest_mismatch 1.3.0
expect_no_image_fetched

# Notice and manifest agree, but the server sends the other signed image, or one with a byte changed.
exchanged=$(signed_notice 1.4.0 one.bin "$one" 'update="other-image"' "url=\"$(file_url plain two.bin)\"")
send_notice sensor_A1B2 "$exchanged"
wait_for_status sensor_A1B2 failed --update other-image --code manifest_mismatch >/dev/null
send_notice sensor_A1B2 "$(signed_notice 1.4.0 one.bin "$one" 'update="changed-image"' "url=\"$(file_url corrupt one.bin)\"")"
wait_for_status sensor_A1B2 failed --update changed-image --code digest_mismatch >/dev/null
expect_equal "version that runs" 1.3.0 "$(member "$(newest_state sensor_A1B2)" version)"
takes_honest_update sensor_A1B2 1.5.1
