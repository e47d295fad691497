# Words for cases about signatures: keys, key lists, manifests, devices in production mode. case.sh sources this.
#
# The keys of a case lie in $keys, not encrypted: nobody but the case ever trusts them. Manifests and images lie in
# $work/files and are served by start_files; the notices go straight to the broker. So the case itself is the hostile
# broker, server and CDN, and what a device refuses it refuses by itself.
# shellcheck shell=bash disable=SC2154

keys=       # the folder with the case's keys and key lists
list=       # the newest key list of the operator, signed
signer=     # the release key that signs for the operator

# Roots a, b and c of which two must sign, a release key, and list 1 with them: make_keys [FLAGS OF keylist make…].
make_keys() {
  keys=$work/keys
  mkdir -p "$keys"
  local name
  for name in a b c; do make_key root "$keys/root-$name.key"; done
  make_key release "$keys/release.key"
  signer=$keys/release.key
  key_tool keylist make --root "$keys/root-a.key" --root "$keys/root-b.key" --root "$keys/root-c.key" --release "$signer" --out "$keys/1.json" "$@"
  sign_list "$keys/1"
  list=$keys/1.jws
}
make_key() { key_tool key create --role "$1" --out "$2"; }  # ROLE FILE
key_tool() { "$bin/otaria" "$@" --development >>"$work/keys.log" 2>&1 || fail "otaria $*: $(tail -n 3 "$work/keys.log")"; }
sign_list() {  # LIST, without .json: roots a and b sign it into LIST.jws
  key_tool keylist sign "$1.json" --key "$keys/root-a.key" --out "$1.jws"
  key_tool keylist sign "$1.jws" --key "$keys/root-b.key"
}
key_id() { openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -c1-16; }  # FILE
# Where devices ask for it: /keys.jws, and by its number.
serve_list() { # FILE SERIAL
  cp "$1" "$work/files/keys.jws"
  cp "$1" "$work/files/$2.jws"
}

# production_device ID VERSION [RUN FLAGS…]: it trusts list 1 and nothing else; provisioned, running, seen online.
# It may speak plain http and mqtt: what it installs is to be safe without TLS.
production_device() {
  local id=$1 version=$2
  shift 2
  provision_production "$id" "$version"
  run_device "$id" "$@"
  wait_for_state "$id" online=true "version=\"$version\"" 'mode="production"' >/dev/null
}
provision_production() {  # ID VERSION [FLAGS…]
  local id=$1 version=$2
  shift 2
  [ -e "$work/factory-$version.bin" ] || make_image "$work/factory-$version.bin" "$version" --size 100000
  "$bin/otaria-device" --flash "$work/$id.flash" --factory "$work/factory-$version.bin" --id "$id" --keylist "$list" --plain-http \
    --product sensor --app-version "$version" "$@" >>"$work/provision.log" 2>&1 ||
    fail "provisioning $id: $(tail -n 3 "$work/provision.log")"
}

# sign_release FILE VERSION [FLAGS…]: puts the manifest beside the image in $work/files; prints its name there, which is
# the release's id. With KEY=FILE in front another key signs, with LIST=FILE by another list.
sign_release() {
  local file=$1 version=$2 draft id
  shift 2
  draft=$work/draft.jws
  [[ " $* " == *" --product "* ]] || set -- --product sensor "$@"
  [[ " $* " == *" --security-counter "* ]] || set -- --security-counter 1 "$@"
  "$bin/otaria" release sign "$file" --version "$version" --key "${KEY:-$signer}" --keylist "${LIST:-$list}" --out "$draft" --development "$@" \
    >>"$work/keys.log" 2>&1 || fail "signing $version: $(tail -n 3 "$work/keys.log")"
  id=$(payload_of "$draft" | jq -r .release)
  mv "$draft" "$work/files/$id.jws"
  echo "$id.jws"
}
payload_of() { "$python" "$tests_lib/forge.py" payload "$1"; }  # SIGNED FILE
# forge KIND KEY FILE [NAME=JSON…]: a signed file with the payload of FILE, members changed, by any key and with no check
# of ours in the way: what a thief of the key would write. KIND: manifest, keys. Prints it.
forge() { "$python" "$tests_lib/forge.py" sign "$@"; }
# forge_raw does the same for a payload that is no proper JSON: forge_raw KIND KEY FILE.
forge_raw() { "$python" "$tests_lib/forge.py" raw "$@"; }
# The same for a manifest, put where devices fetch it: forge_manifest KEY NAME [NAME=JSON…]; keeps the release's id.
forge_manifest() {
  local key=$1 name=$2
  shift 2
  forge manifest "$key" "$work/files/$name" "$@" >"$work/forged.jws" || fail "forging $name"
  mv "$work/forged.jws" "$work/files/$name"
}

# signed_notice VERSION IMAGE MANIFEST [MEMBER=JSON…]: names of files in $work/files.
signed_notice() {
  local version=$1 image=$2 manifest=$3
  shift 3
  notice "$version" "$(file_url plain "$image")" "$work/files/$image" "manifest=\"$(file_url plain "$manifest")\"" "$@"
}

# It said no, with this code, in one step, and runs what it ran: expect_refused ID UPDATE CODE VERSION
expect_refused() {
  local status
  status=$(wait_for_status "$1" refused --update "$2" --code "$3")
  expect_states "$1" "received refused" --update "$2"
  expect_equal "version that refuses $2" "$4" "$(member "$status" version)"
}
expect_no_image_fetched() { expect_equal "requests for an image" 0 "$(jq -s 'map(select(.path | endswith(".bin"))) | length' "$served")"; }

# The end of each attack: the device is whole, and takes what its operator signs. takes_honest_update ID VERSION [FLAGS OF release sign…]
takes_honest_update() {
  local id=$1 version=$2
  shift 2
  make_image "$work/files/honest-$version.bin" "$version" --size 100000
  send_notice "$id" "$(signed_notice "$version" "honest-$version.bin" "$(sign_release "$work/files/honest-$version.bin" "$version" "$@")" \
    "update=\"honest-${version//./-}\"")"
  wait_for_status "$id" succeeded --update "honest-${version//./-}" >/dev/null
  expect_device_runs "$id" "$version"
}
