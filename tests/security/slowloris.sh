# Hundreds of connections that send a byte a second are closed by otariad, and others are served meanwhile, over TLS as well
# shellcheck shell=bash disable=SC2154,SC2034  # process_ids is the runner's
use_tls
start_stack
crowd=200
: >"$work/slow.out"
"$python" "$tests_lib/raw_http.py" "$http_port" --slowly "$crowd" "$(within 40)" "$tls/ca.pem" >"$work/slow.out" 2>"$work/slow.log" &
slow=$!
process_ids[slow]=$slow
wait_until "$(within 60)" grep -q open "$work/slow.out" || fail "the slow connections did not open"
for _ in 1 2 3 4 5; do
  curl "${http_tls[@]}" -sf -m 5 -o /dev/null "$(server_url)/readyz" || fail "otariad serves nobody beside $crowd slow connections"
done
wait_until "$(within 60)" grep -q closed "$work/slow.out" || fail "the slow connections did not end"
expect_equal "slow connections that were closed" "closed $crowd" "$(tail -n 1 "$work/slow.out")"
# The same without TLS: firmware_server has the same layer below.
mkdir -p "$work/files"
files_port=$(free_port)
spawn files "$bin/firmware_server" --address 127.0.0.1 --port "$files_port" "$work/files"
wait_until "$(within 10)" port_answers "$files_port" || fail "firmware_server did not start"
expect_equal "slow connections without TLS" "closed $crowd" \
  "$("$python" "$tests_lib/raw_http.py" "$files_port" --slowly "$crowd" "$(within 40)" | tail -n 1)"
server_is_ready || fail "otariad does not answer any more"
