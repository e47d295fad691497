# A download URL without a signature, with a changed end, signature or path opens no image: 403; a device that is given one waits for its server's
# shellcheck shell=bash disable=SC2154
start_production
registered_device sensor_A1B2 1.3.0
stop sensor_A1B2
make_image "$work/one.bin" 1.4.0 --size 100000 --seed 1
make_image "$work/two.bin" 1.5.0 --size 100000 --seed 2
for file in one two; do publish_release "$work/$file.bin" "$(if [ $file = one ]; then echo 1.4.0; else echo 1.5.0; fi)" --key "$signer" --development; done
one=/firmware/$(digest_of "$work/one.bin").bin
two=/firmware/$(digest_of "$work/two.bin").bin
good=$(hostile_tokens url "$work/server/keys/download-secret" "" "$one" $(($(date +%s) + 600)))
ask() { echo "$(curl "${http_tls[@]}" -s --path-as-is -m 10 -o "$work/body" -w '%{http_code}' "$(server_url)$1") $(jq -r .code "$work/body" 2>/dev/null || :)"; }
expect_equal "the good URL" 200 "$(ask "$good" | cut -d' ' -f1)"
query=${good#*\?}
end=${query%%&*}
end=${end#e=}
signature=${query#*s=}
flipped=$(if [ "${signature:0:1}" = A ]; then echo B; else echo A; fi)${signature:1}
for attack in "403 url_unsigned $one" "403 url_unsigned $one?e=$end" "403 url_unsigned $one?s=$signature" "403 url_unsigned $one?e=$end&s=" \
  "403 url_unsigned $one?e=0$end&s=$signature" "403 url_unsigned $one?e=$end&s=${signature}A" "403 url_unsigned $one?e=-1&s=$signature" \
  "403 url_refused $one?e=$((end + 86400))&s=$signature" "403 url_refused $one?e=$end&s=$flipped" "403 url_refused $two?$query"; do
  read -r status code target <<<"$attack"
  expect_equal "answer to $target" "$status $code" "$(ask "$target")"
done
# Nobody signs in with an operator's token there, and HEAD tells no more than GET.
expect_equal "an operator's token" 403 "$(curl "${http_tls[@]}" -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/authorization" "$(server_url)$one")"
expect_equal "HEAD" 403 "$(curl "${http_tls[@]}" -s -I -m 10 -o "$work/body" -w '%{http_code}' "$(server_url)$two?$query")"

# On the wire: the notice of the honest server, its URL forged before the device asks.
service_token otariad-2
update=$(offer sensor_A1B2 1.4.0)
manifest=$(api "/updates/$update" | jq -r .manifest)
hostile_mqtt otariad-2 otariad-2 "$work/otariad-2.token" retain sensor_A1B2/firmware/update \
  "$(notice 1.4.0 "$(server_url)$one?e=$end&s=$flipped" "$work/one.bin" "update=\"$update\"" "manifest=\"$(server_url)/manifests/$manifest.jws\"")" >/dev/null
run_device sensor_A1B2
wait_for_status sensor_A1B2 waiting --update "$update" >/dev/null
wait_for_status sensor_A1B2 succeeded --update "$update" >/dev/null
expect_contains "what the device heard first" "answer 403" "$(cat "$work/sensor_A1B2.log")"
expect_device_runs sensor_A1B2 1.4.0
