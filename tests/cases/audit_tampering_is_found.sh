# A byte changed in the audit log, a row removed, two exchanged or the tail cut: otaria audit verify names the first bad row
# shellcheck shell=bash disable=SC2154
start_broker_and_observer
start_server
for owner in a b c d e f; do otaria --json token create --role viewer --name "$owner" >/dev/null || fail "no token for $owner"; done
otaria audit export --out "$work/log.jsonl" >/dev/null || fail "no export"
stop otariad  # a clean stop signs what is there
checkpoints=$work/server/audit-checkpoints.jws
key=$work/server/keys/audit.pub.pem
verify() { "$bin/otaria" audit verify --file "$1" --checkpoints "$checkpoints" --key "$key"; }
chain() { "$bin/otaria" audit verify --file "$1"; }
expect_exit 0 verify "$work/log.jsonl"
expect_contains "rows of the untouched log" "7 rows hold together" "$output"

expect_found() {  # WHAT ROW FILE COMMAND
  expect_exit 3 "$4" "$3"
  expect_contains "$1" "first bad row is $2" "$output"
}
sed '3s/"outcome":"done"/"outcome":"dome"/' "$work/log.jsonl" >"$work/flipped.jsonl"
expect_found "a flipped byte" 3 "$work/flipped.jsonl" chain
sed 4d "$work/log.jsonl" >"$work/deleted.jsonl"
expect_found "a removed row" 4 "$work/deleted.jsonl" chain
sed '2{h;d};3{G}' "$work/log.jsonl" >"$work/exchanged.jsonl"
expect_found "two exchanged rows" 2 "$work/exchanged.jsonl" chain
head -n 5 "$work/log.jsonl" >"$work/cut.jsonl"
expect_exit 0 chain "$work/cut.jsonl"  # a chain ends wherever it ends
expect_found "a cut tail" 6 "$work/cut.jsonl" verify
sed 's/^\(.\{40\}\)./\1A/' "$checkpoints" >"$work/forged.jws"
expect_exit 3 "$bin/otaria" audit verify --file "$work/log.jsonl" --checkpoints "$work/forged.jws" --key "$key"

# The same in the database: it refuses by itself, and when somebody helps it out, the server's own log is caught.
! sqlite3 "$work/server/otaria.db" 'DELETE FROM audit WHERE seq = 7' 2>"$work/sqlite.log" || fail "the database let a row go"
expect_contains "what the database says" "append-only" "$(cat "$work/sqlite.log")"
sqlite3 "$work/server/otaria.db" 'DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE seq > 5'
start_server
expect_contains "otariad's log" "the audit log does not hold row 7" "$(cat "$work/otariad.log")"
expect_exit 3 otaria audit verify --checkpoints "$checkpoints" --key "$key"
expect_contains "the verdict" "first bad row is 6" "$output"
