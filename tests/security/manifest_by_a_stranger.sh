# A manifest signed by a key that no root has listed ends in unknown_key, and not one byte of its image is fetched
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
serve_list "$list" 1
make_key release "$keys/stranger.key"
make_image "$work/files/evil.bin" 1.4.0
manifest=$(sign_release "$work/files/evil.bin" 1.4.0)
forge_manifest "$keys/stranger.key" "$manifest"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 evil.bin "$manifest" 'update="stranger"')"
expect_refused sensor_A1B2 stranger unknown_key 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 evil.bin "$manifest" 'update="forced"' force=true)"
expect_refused sensor_A1B2 forced unknown_key 1.3.0
# A root signs key lists and nothing else, even when its key is the thief's.
forge_manifest "$keys/root-a.key" "$manifest"
send_notice sensor_A1B2 "$(signed_notice 1.4.0 evil.bin "$manifest" 'update="by-a-root"')"
expect_refused sensor_A1B2 by-a-root unknown_key 1.3.0
expect_no_image_fetched
takes_honest_update sensor_A1B2 1.4.1
