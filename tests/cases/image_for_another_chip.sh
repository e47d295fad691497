# An image for an ESP32-C3 ends in wrong_chip, at the device and at the server
# shellcheck shell=bash disable=SC2154
start_stack
start_files
real=$(firmware_dir)
if [ -n "$real" ]; then
  cp "$real/wled-c3/0.14.4.bin" "$work/files/c3.bin"
else
  make_image "$work/files/c3.bin" 1.4.0 --chip esp32c3
fi
device sensor_A1B2 1.3.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain c3.bin)" "$work/files/c3.bin" 'update="chip-1"')"
wait_for_status sensor_A1B2 failed --update chip-1 --code wrong_chip >/dev/null
expect_exit 3 otaria release publish "$work/files/c3.bin" --version 1.4.0
expect_contains "what the operator reads" wrong_chip "$output"
expect_device_runs sensor_A1B2 1.3.0
