# An image that trickles in below the rate that a device bears is broken off, again and again, and given up: download_failed
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0 --stall-window-ms 500 --retry-first-ms 2 --retry-limit-ms 10 --retries 2
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
# Each answer brings a block or two and then hardly anything: 1,500 bytes a second, where 4,096 are asked for in half a second.
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="image"' "url=\"$(file_url rate-1500 new.bin)\"")"
wait_for_status sensor_A1B2 failed --update image --code download_failed >/dev/null
expect_equal "version that runs" 1.3.0 "$(member "$(newest_state sensor_A1B2)" version)"
asked=$(grep -c 'GET .*/rate-1500/new.bin' "$work/sensor_A1B2.log")
[ "$asked" -ge 2 ] || fail "the device asked $asked times: it was to leave a slow server and ask again"
takes_honest_update sensor_A1B2 1.4.1
