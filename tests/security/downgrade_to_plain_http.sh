# A production device that was not provisioned for plain HTTP takes no http URL, for image or manifest: bad_notice, and asks nobody
# shellcheck shell=bash disable=SC2154
use_tls
make_keys
start_broker_and_observer
make_image "$work/factory.bin" 1.3.0 --size 100000
"$bin/otaria-device" --flash "$work/sensor_A1B2.flash" --factory "$work/factory.bin" --id sensor_A1B2 --keylist "$list" --ca "$tls/ca.pem" \
  --product sensor --app-version 1.3.0 >>"$work/provision.log" 2>&1 || fail "provisioning: $(tail -n 3 "$work/provision.log")"
run_device sensor_A1B2
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' 'mode="production"' >/dev/null
start_files
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)
# Whoever stands in between rewrites what he can see: every URL of a signed release.
plain_image=$(file_url plain new.bin) plain_manifest=$(file_url plain "$manifest")
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="both"')"
expect_refused sensor_A1B2 both bad_notice 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="image"' "manifest=\"${plain_manifest/http:/https:}\"")"
expect_refused sensor_A1B2 image bad_notice 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="manifest"' "url=\"${plain_image/http:/https:}\"" force=true)"
expect_refused sensor_A1B2 manifest bad_notice 1.3.0
expect_equal "requests of any kind" 0 "$(requests_served)"
start_files server
takes_honest_update sensor_A1B2 1.4.1
