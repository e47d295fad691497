# Requests with a head, a target or a body beyond the limits end in 431, 414 and 413, and the server goes on
# shellcheck shell=bash disable=SC2154
start_stack
status_of() { curl -s -m 20 -o "$work/body" -w '%{http_code}' -H @"$work/authorization" "$@"; }
long=$(head -c 100000 /dev/zero | tr '\0' a)
printf 'X-Long: %s\n' "$long" >"$work/long-header"
expect_equal "a header of 100,000 bytes" 431 "$(status_of -H @"$work/long-header" "$(server_url)/readyz")"
for n in $(seq 3000); do echo "X-Many-$n: $n"; done >"$work/many-headers"
expect_equal "3,000 headers" 431 "$(status_of -H @"$work/many-headers" "$(server_url)/readyz")"
expect_equal "a target of 100,000 bytes" 414 "$(status_of "$(server_url)/${long}")"
# Announced and not sent; announced small and endless in chunks.
expect_equal "an image of 1 TB" 413 "$(status_of -X POST -H 'Content-Length: 1000000000000' -H 'Expect:' -d x "$(server_url)/api/v1/releases?version=1.4.0")"
head -c 17000000 /dev/zero >"$work/large"
expect_equal "17 MB in chunks" 413 \
  "$(status_of -X POST -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @"$work/large" "$(server_url)/api/v1/releases?version=1.4.0")"
expect_equal "JSON of 17 MB" 413 "$(status_of -X POST -H 'Content-Type: application/json' -H 'Expect:' --data-binary @"$work/large" "$(server_url)/api/v1/updates")"
server_is_ready || fail "otariad does not answer any more"
expect_equal "releases" 0 "$(api /releases | jq '.items | length')"
