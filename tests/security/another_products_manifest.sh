# A signed release for another product, hardware or channel ends in wrong_product, wrong_hardware or wrong_channel, forced or not
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_files
make_keys
production_device sensor_A1B2 1.3.0
make_image "$work/files/other.bin" 1.4.0
attack() {  # CODE FLAGS OF release sign…
  local code=$1 manifest force
  shift
  manifest=$(sign_release "$work/files/other.bin" 1.4.0 "$@")
  for force in false true; do
    send_notice sensor_A1B2 "$(signed_notice 1.4.0 other.bin "$manifest" "update=\"$code-$force\"" force=$force)"
    expect_refused sensor_A1B2 "$code-$force" "$code" 1.3.0
  done
}
attack wrong_product --product pump
attack wrong_hardware --hardware esp32s3-16mb --hardware esp32s3-4mb
attack wrong_channel --channel beta
expect_no_image_fetched
takes_honest_update sensor_A1B2 1.4.1 --hardware esp32s3-8mb --channel stable
