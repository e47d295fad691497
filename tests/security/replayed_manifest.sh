# An old signed release that is offered again ends in not_newer, and its image is not fetched
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/old.bin" 1.2.9
old=$(sign_release "$work/files/old.bin" 1.2.9)
send_notice sensor_A1B2 "$(signed_notice 1.2.9 old.bin "$old" 'update="before"')"
expect_refused sensor_A1B2 before not_newer 1.3.0
expect_no_image_fetched

# Nor after an update, when it has run that very image's successor.
make_image "$work/files/new.bin" 1.4.0 --size 100000
new=$(sign_release "$work/files/new.bin" 1.4.0)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$new" 'update="new"')"
wait_for_status sensor_A1B2 succeeded --update new >/dev/null
send_notice sensor_A1B2 "$(signed_notice 1.2.9 old.bin "$old" 'update="after"')"
expect_refused sensor_A1B2 after not_newer 1.4.0
# Dressed up as a newer version it no longer is what was signed.
send_notice sensor_A1B2 "$(signed_notice 9.9.9 old.bin "$old" 'update="dressed-up"')"
expect_refused sensor_A1B2 dressed-up manifest_mismatch 1.4.0
expect_equal "requests for the old image" 0 "$(jq -s 'map(select(.path | endswith("old.bin"))) | length' "$served")"
takes_honest_update sensor_A1B2 1.4.1
