# A signed image whose server never stops sending, or announces more than was signed, is broken off: download_failed, too_large
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0 --retries 1 --retry-limit-ms 200
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="endless"' "url=\"$(file_url endless new.bin)\"")"
expect_refused sensor_A1B2 endless download_failed 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="overlong"' "url=\"$(file_url overlong new.bin)\"")"
wait_for_status sensor_A1B2 failed --update overlong --code too_large >/dev/null
expect_equal "answers that were heard to their end" 0 "$(jq -s 'map(select(.whole and (.path | contains("endless")))) | length' "$served")"
expect_equal "version that runs" 1.3.0 "$(member "$(newest_state sensor_A1B2)" version)"
takes_honest_update sensor_A1B2 1.4.1
