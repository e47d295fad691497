# A web page in place of the image ends in not_an_image before the slot is touched
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
device sensor_A1B2 1.3.0
make_image "$work/files/new.bin" 1.4.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url html new.bin)" "$work/files/new.bin" 'update="html-1"')"
wait_for_status sensor_A1B2 failed --update html-1 --code not_an_image >/dev/null
# Without a size in the notice nothing but the bytes themselves gives the page away.
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url html new.bin)" "$work/files/new.bin" 'update="html-2"' size=null)"
wait_for_status sensor_A1B2 failed --update html-2 --code not_an_image >/dev/null
expect_device_runs sensor_A1B2 1.3.0
