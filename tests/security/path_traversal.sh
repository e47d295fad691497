# No URL leads out of what is served: dots, encoded dots and slashes, NUL and backslashes, at otariad and firmware_server, and in file names
# shellcheck shell=bash disable=SC2154
start_stack
mkdir -p "$work/files/firmware"
echo the-secret >"$work/secret.bin"
echo the-secret >"$work/files/.hidden.bin"
make_image "$work/files/good.bin" 1.4.0 --size 100000
ln -s "$work/secret.bin" "$work/files/link.bin"
# A name that only a careless server would put into a URL or a header as it is.
make_image "$work/files/..%2fsecret.bin" 1.4.0 --size 100000
files_port=$(free_port)
spawn files "$bin/firmware_server" --address 127.0.0.1 --port "$files_port" "$work/files"
wait_until "$(within 10)" port_answers "$files_port" || fail "firmware_server did not start"

paths=(
  /firmware/../secret.bin /firmware/../../secret.bin /firmware/../../../../../../etc/passwd /../secret.bin /../../etc/passwd
  /firmware/%2e%2e/secret.bin /firmware/..%2fsecret.bin /firmware/%2e%2e%2fsecret.bin /firmware/%252e%252e%252fsecret.bin
  /firmware/..%5csecret.bin '/firmware/..\secret.bin' /firmware/good.bin%00.txt /firmware/%00 /firmware/./../secret.bin /firmware//etc/passwd
  /firmware/.hidden.bin /firmware/..%c0%afsecret.bin /firmware/link.bin "/firmware/$work/secret.bin" //etc/passwd
  /manifests/../otaria.db /manifests/..%2fotaria.db /manifests/%2e%2e/otaria.db /manifests/%2e%2e%2fbootstrap-token
  /keys/../bootstrap-token /keys/..%2fbootstrap-token.jws /keys/%2e%2e%2f%2e%2e%2fserver%2fbootstrap-token /keys.jws/../bootstrap-token
  /api/v1/../../bootstrap-token /.well-known/../bootstrap-token
)
secret=$(cat "$work/server/bootstrap-token")
for port in "$http_port" "$files_port"; do
  for path in "${paths[@]}"; do
    code=$(curl -s --path-as-is -m 10 -o "$work/body" -w '%{http_code}' "http://127.0.0.1:$port$path") || fail "no answer to $path"
    case "$code" in 400 | 401 | 403 | 404 | 405) ;; *) fail "port $port answers $path with $code" ;; esac
    ! grep -qE "the-secret|root:|$secret|SQLite" "$work/body" || fail "port $port gives $path away"
  done
done
# A raw NUL, which curl cannot send.
printf 'GET /firmware/good.bin\0.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >"$work/nul"
for port in "$http_port" "$files_port"; do
  answer=$("$python" "$tests_lib/raw_http.py" "$port" "$work/nul" | head -n 1)
  expect_contains "answer to a NUL at port $port" " 400 " "$answer"
done
# What is offered is served, and both still work.
expect_equal "the good file" "$(digest_of "$work/files/good.bin")" "$(curl -sf "http://127.0.0.1:$files_port/firmware/good.bin" | sha256sum | cut -d' ' -f1)"
server_is_ready || fail "otariad does not answer any more"
