# An image server of another CA, or whose certificate names another host: nothing is fetched, the old version runs on
# shellcheck shell=bash disable=SC2154
use_tls
start_broker_and_observer
device sensor_A1B2 1.3.0 --retry-first-ms 2

"$bin/otaria" cert ca --out "$tls/other" >>"$work/cert.log"
make_certificate another_ca 127.0.0.1 "$tls/other"
make_certificate another_host fw.example

mkdir "$work/files"
for wrong in another_ca another_host; do
  make_image "$work/files/$wrong.bin" 1.4.0 --size 100000 --seed "${#wrong}"
  serve_files_with "$wrong"
  send_notice sensor_A1B2 "$(notice 1.4.0 "https://127.0.0.1:$files_port/firmware/$wrong.bin" "$work/files/$wrong.bin" \
    "update=\"$wrong\"")"
  wait_for_status sensor_A1B2 refused --update "$wrong" --code download_failed >/dev/null
  expect_equal "states for $wrong" "received refused" "$(states_of sensor_A1B2 --update "$wrong")"
done

# The same device takes the same image from a server whose certificate holds.
make_image "$work/files/good.bin" 1.4.0 --size 100000
serve_files_with server
send_notice sensor_A1B2 "$(notice 1.4.0 "https://127.0.0.1:$files_port/firmware/good.bin" "$work/files/good.bin" 'update="good"')"
wait_for_status sensor_A1B2 succeeded --update good >/dev/null
expect_device_runs sensor_A1B2 1.4.0
