# Where two persons are needed, one operator forces nothing, whatever tokens he holds and whatever digest he names; another person's approval of what was asked for does
# shellcheck shell=bash disable=SC2154
start_production '[approvals]' 'force = true'
registered_device sensor_A1B2 1.5.0
make_image "$work/old.bin" 1.4.0 --size 100000
publish_release "$work/old.bin" 1.4.0 --key "$signer" --development
person() { otaria token create --role operator --person "$2" --out "$work/$1.token" >/dev/null || fail "no token for $1"; }  # NAME PERSON
person alice alice
person second alice
person bob bob

use_token "$work/alice.token"
expect_exit 3 otaria --json update send sensor_A1B2 --release 1.4.0 --force --wait
expect_contains "what alice is told" awaiting_approval "$output"
approval=$(otaria --json approval list | jq -r '.items[0].id')
digest=$(otaria --json approval list | jq -r '.items[0].digest')
refused_with() {  # CODE TOKEN DIGEST
  use_token "$work/$2"
  expect_exit 3 otaria --json approval approve "$approval" --digest "$3"
  expect_contains "what $2 is told" "\"$1\"" "$output"
}
refused_with same_person alice.token "$digest"
refused_with same_person second.token "$digest"
refused_with person_unknown server/bootstrap-token "$digest"
refused_with approval_mismatch bob.token "$(head -c 64 /dev/zero | tr '\0' 0)"
expect_equal "updates" 0 "$(api /updates | jq '.items | length')"
expect_equal "version that runs" '"1.5.0"' "$(newest_state sensor_A1B2 | jq .version)"

# Bob's own approval, of what alice asked for, is what it takes.
use_token "$work/bob.token"
expect_exit 0 otaria approval approve "$approval" --digest "$digest"
wait_for_state sensor_A1B2 'version="1.4.0"' confirmed=true >/dev/null
use_token "$work/server/bootstrap-token"
expect_equal "who is in the audit log" "alice bob" "$(api '/audit?order=oldest&limit=500' |
  jq -r '[.items[] | select(.verb == "approval.request" or .verb == "approval.approve") | .detail.person] | join(" ")')"
takes_sent_update sensor_A1B2 1.6.0
