# Tokens that are invented, changed, unsigned, of a stranger, or a device's instead of an operator's open nothing at the API: 401
# shellcheck shell=bash disable=SC2154
start_stack
good=$(cat "$work/server/bootstrap-token")
b64() { basenc --base64url -w0 | tr -d =; }
status_with() {  # AUTHORIZATION
  (umask 077 && printf 'Authorization: %s\n' "$1" >"$work/hostile")
  curl -s -m 10 -o "$work/body" -w '%{http_code}' -H @"$work/hostile" "$(server_url)/api/v1/releases"
}
claims=$(printf '{"iss":"otaria","aud":"otaria","sub":"admin","username":"admin","roles":["admin"],"exp":4000000000}' | b64)
none=$(printf '{"alg":"none","typ":"JWT"}' | b64)
openssl ecparam -name prime256v1 -genkey -noout -out "$work/stranger.pem"
header=$(printf '{"alg":"ES256","typ":"JWT","kid":"%s"}' "$(key_id "$work/stranger.pem")" | b64)
signed=$(printf '{"fmt":1,"aud":"otaria","sub":"admin","exp":4000000000}' >"$work/claims.json" && forge manifest "$work/stranger.pem" "$work/claims.json")
for hostile in "Bearer ota_AAAAAAAA_$(head -c 32 /dev/zero | b64)" "Bearer ${good%?}$(if [[ $good == *A ]]; then echo B; else echo A; fi)" \
  "Bearer ${good%?}" "Bearer ${good}A" "Bearer $none.$claims." "Bearer $none.$claims.$(printf x | b64)" "Bearer $header.$claims.AAAA" "Bearer $signed" \
  "Basic $(printf 'admin:%s' "$good" | base64 -w0)" "Bearer " "$good"; do
  # Ten failures in a minute lock the address out; each case here is one of eleven.
  code=$(status_with "$hostile")
  case "$code" in 401 | 429) ;; *) fail "${hostile:0:24}… is answered with $code" ;; esac
  ! grep -q items "$work/body" || fail "${hostile:0:24}… reads releases"
done
expect_equal "a token in the URL" 0 "$(curl -s -m 10 "$(server_url)/api/v1/releases?token=$good" | grep -c items || :)"
! grep -qF "$good" "$work/otariad.log" || fail "the token stands in the log"
