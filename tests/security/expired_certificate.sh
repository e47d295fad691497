# An image server whose certificate ended before a time that has certainly passed is not heard: download_failed, without a clock
# shellcheck shell=bash disable=SC2154
use_tls
make_keys
start_broker_and_observer
provision_production sensor_A1B2 1.3.0 --ca "$tls/ca.pem"
run_device sensor_A1B2 --fault clock=unset --retry-first-ms 2 --retries 3
wait_for_state sensor_A1B2 online=true 'version="1.3.0"' 'mode="production"' >/dev/null

# By the device's own CA, for the right host; it ended a day before the key list was issued.
mkdir "$tls/expired"
{
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/expired/server.key" -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -out "$work/expired.csr"
  openssl x509 -req -in "$work/expired.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -copy_extensions copyall -days -1 -out "$tls/expired/server.pem"
} >>"$work/cert.log" 2>&1
start_files server
expired_port=$(free_port)
spawn expired "$python" "$tests_lib/hostile_server.py" --port "$expired_port" --dir "$work/files" --log "$work/expired.jsonl" \
  --certificate "$tls/expired/server.pem" --private-key "$tls/expired/server.key"
wait_until "$(within 10)" port_answers "$expired_port" || fail "the expired server did not start"
make_image "$work/files/new.bin" 1.4.0 --size 100000
manifest=$(sign_release "$work/files/new.bin" 1.4.0)

# The manifest, and then the image alone, by the expired server.
expired_url() { echo "https://127.0.0.1:$expired_port/plain/$1"; }
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="manifest"' "manifest=\"$(expired_url "$manifest")\"")"
expect_refused sensor_A1B2 manifest download_failed 1.3.0
send_notice sensor_A1B2 "$(signed_notice 1.4.0 new.bin "$manifest" 'update="image"' "url=\"$(expired_url new.bin)\"")"
expect_refused sensor_A1B2 image download_failed 1.3.0
expect_contains "why, by the device's log" "certificate has ended" "$(cat "$work/sensor_A1B2.log")"
expect_equal "requests that the expired server heard" 0 "$(wc -l <"$work/expired.jsonl")"
takes_honest_update sensor_A1B2 1.4.1
