# Power cuts at flash operations all through an update are survived: every device boots and ends on the new version
# shellcheck shell=bash disable=SC2154
start_stack
make_image "$work/new.bin" 1.4.0
publish_release "$work/new.bin" 1.4.0
# The update takes several hundred operations: journal, boot records, sectors, pages. Every single one of them is cut by
# device/agent's own tests; here each cut happens to a real device between a real broker and a real server.
ids=()
for operation in 3 12 60 250 700 1500; do
  id=sensor_$(printf '%04d' "$operation")
  provision "$id" 1.3.0
  run_device "$id" --fault power-cut-after="$operation" --seed "$operation"
  ids+=("$id")
done
for id in "${ids[@]}"; do wait_for_state "$id" online=true >/dev/null; done
expect_exit 0 otaria update send "${ids[@]}" --release 1.4.0 --wait --timeout "$(within 60)"
cuts=0
for id in "${ids[@]}"; do
  expect_device_runs "$id" 1.4.0
  cuts=$((cuts + $(grep -c 'lost its power' "$work/$id.log")))
done
expect_equal "power cuts that happened" ${#ids[@]} "$cuts"
