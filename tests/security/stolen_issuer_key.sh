# A stolen issuer key opens the broker and makes no device install anything; withdrawn, it opens nothing: CONNACK 5, and who came by it is put out
# shellcheck shell=bash disable=SC2154
start_production
start_files
registered_device sensor_A1B2 1.3.0
mkdir "$work/stolen"
cp "$(issuer_key)" "$work/stolen/"
mint() { (umask 077 && hostile_tokens mint "$work"/stolen/*.pem "$1" "$2" | tr -d '\n' >"$work/$1.token"); }  # ID USER
mint otariad-9 otariad-9
mint sensor_C3D4 a4cf12e0c3d4
broker_admits sensor_C3D4 a4cf12e0c3d4 "$work/sensor_C3D4.token"

# As a server it tells the device what it likes; the device believes release keys alone.
make_image "$work/files/evil.bin" 6.6.6 --size 100000
make_key release "$keys/stranger.key"
manifest=$(sign_release "$work/files/evil.bin" 6.6.6)
forge_manifest "$keys/stranger.key" "$manifest"
as_server() { hostile_mqtt otariad-9 otariad-9 "$work/otariad-9.token" "$@"; }
as_server publish sensor_A1B2/firmware/update "$(notice 6.6.6 "$(file_url plain evil.bin)" "$work/files/evil.bin" 'update="unsigned"' force=true)" >/dev/null
expect_refused sensor_A1B2 unsigned manifest_required 1.3.0
as_server publish sensor_A1B2/firmware/update "$(signed_notice 6.6.6 evil.bin "$manifest" 'update="stranger"' force=true)" >/dev/null
expect_refused sensor_A1B2 stranger unknown_key 1.3.0
expect_no_image_fetched

# The operator withdraws it: those who are in by it are out within seconds, and nobody gets in by it again.
spawn thief "$python" "$tests_lib/hostile_mqtt.py" --port "$broker_port" --ca "$tls/ca.pem" --id otariad-9 --user otariad-9 \
  --token-file "$work/otariad-9.token" until-closed "$(within 20)"
admitted() { grep -q 'connect 0' "$work/thief.log"; }
wait_until "$(within 10)" admitted || fail "the thief is not in: $(cat "$work/thief.log")"
session=$(member "$(newest_state sensor_A1B2)" session)
otaria issuer rotate --withdraw-old >>"$work/publish.log" || fail "the issuer's key was not withdrawn"
put_out() { grep -q closed "$work/thief.log"; }
wait_until "$(within 20)" put_out || fail "the thief was not put out: $(cat "$work/thief.log")"
broker_refuses otariad-9 otariad-9 "$work/otariad-9.token"
broker_refuses sensor_C3D4 a4cf12e0c3d4 "$work/sensor_C3D4.token"

# Observer, server and device come back with tokens of the new key.
stop observer
rm "$work/monitor-lab.token"
service_token monitor-lab
observe_as monitor-lab
wait_until "$(within 20)" server_reaches_broker || fail "otariad did not come back"
back() { [ "$(member "$(newest_state sensor_A1B2)" session)" != "$session" ]; }
wait_until "$(within 20)" back || fail "the device did not come back"
takes_sent_update sensor_A1B2 1.4.0
