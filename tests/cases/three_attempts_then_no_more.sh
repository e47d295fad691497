# After three failed attempts a digest is refused as attempts_exhausted, across restarts, until it is forced
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
for attempt in 1 2 3; do
  send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url corrupt new.bin)" "$work/files/new.bin" "update=\"try-$attempt\"")"
  wait_for_status sensor_A1B2 failed --update "try-$attempt" --code digest_mismatch >/dev/null
done
fetched=$(requests_served)
stop sensor_A1B2
run_device sensor_A1B2
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain new.bin)" "$work/files/new.bin" 'update="try-4"')"
wait_for_status sensor_A1B2 refused --update try-4 --code attempts_exhausted >/dev/null
expect_equal "requests after the third attempt" "$fetched" "$(requests_served)"
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain new.bin)" "$work/files/new.bin" 'update="try-5"' force=true)"
wait_for_status sensor_A1B2 succeeded --update try-5 >/dev/null
expect_device_runs sensor_A1B2 1.4.0
