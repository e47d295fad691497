# A notice whose digest is right but whose file is no ESP image ends in not_an_image
# shellcheck shell=bash disable=SC2154
start_stack
start_files
device sensor_A1B2 1.3.0
head -c 300000 /dev/zero >"$work/files/zeros.bin"
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain zeros.bin)" "$work/files/zeros.bin" 'update="zeros-1"')"
wait_for_status sensor_A1B2 failed --update zeros-1 --code not_an_image >/dev/null
expect_exit 3 otaria release publish "$work/files/zeros.bin" --version 1.4.0
expect_contains "what the operator reads" not_an_image "$output"
expect_device_runs sensor_A1B2 1.3.0
