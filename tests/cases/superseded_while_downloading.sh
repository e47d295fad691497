# A newer notice in the middle of a download ends the old update as superseded and is itself carried out
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
make_image "$work/files/newer.bin" 1.5.0
update=$(offer_hosted sensor_A1B2 1.4.0 "$(file_url rate-80000 new.bin)" "$work/files/new.bin")
wait_for_status sensor_A1B2 downloading --update "$update" --at-least 10 >/dev/null
newer=$(offer_hosted sensor_A1B2 1.5.0 "$(file_url plain newer.bin)" "$work/files/newer.bin")
wait_for_status sensor_A1B2 failed --update "$update" --code superseded >/dev/null
wait_for_status sensor_A1B2 succeeded --update "$newer" >/dev/null
expect_device_runs sensor_A1B2 1.5.0
