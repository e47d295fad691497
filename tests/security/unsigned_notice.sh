# A notice without a manifest ends in manifest_required, forced or not, at the device and already at the server
# shellcheck shell=bash disable=SC2154
start_stack
start_files
make_keys
otaria keylist publish "$list" >>"$work/publish.log" || fail "the key list was not published"
production_device sensor_A1B2 1.3.0
make_image "$work/files/evil.bin" 1.4.0
# Straight from the broker, as the brief's three-field notice, which a development device would take.
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain evil.bin)" "$work/files/evil.bin" 'update="unsigned"')"
expect_refused sensor_A1B2 unsigned manifest_required 1.3.0
send_notice sensor_A1B2 "$(notice 1.4.0 "$(file_url plain evil.bin)" "$work/files/evil.bin" 'update="forced"' force=true)"
expect_refused sensor_A1B2 forced manifest_required 1.3.0
expect_equal "requests of any kind" 0 "$(requests_served)"

# The server does not send one either.
publish_release "$work/files/evil.bin" 1.4.0
expect_exit 3 otaria update send sensor_A1B2 --release 1.4.0 --force
expect_contains "what the operator reads" manifest_required "$output"

# Signed, published and sent by the operator's own programs it installs.
make_image "$work/new.bin" 1.4.1
publish_release "$work/new.bin" 1.4.1 --key "$signer" --development
expect_exit 0 otaria update send sensor_A1B2 --release 1.4.1 --wait
expect_device_runs sensor_A1B2 1.4.1
