#!/bin/bash
# HTTPS download throughput of firmware_server beside nginx: same certificate, same cipher, same file, same client (wrk),
# same run, the servers taking turns. Prints every point with its ratio and its bar; exit 1 when a bar is missed, 2 when
# the benchmark cannot run.
#
#   bench/tls/run.sh [--quick] [--bin DIR]
#     --quick   3 turns of 1 s in place of 5 turns of 3 s: a look, too short to judge by
#     --bin     where firmware_server and otaria are, default build/release/bin
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../downloads.sh"

downloads_begin bench/tls "$@"
needs wrk nginx python3 curl sha256sum openssl -- firmware_server otaria
make_files
"$bin/otaria" cert ca --out "$work/ca" >/dev/null
"$bin/otaria" cert server --ca "$work/ca" --host 127.0.0.1 --out "$work/server" >/dev/null

read -r ours_port nginx_port < <(free_ports 2)
url_of() {  # server file
  case $1 in
    ours) echo "https://127.0.0.1:$ours_port/firmware/${digest[$2]}.bin" ;;
    nginx) echo "https://127.0.0.1:$nginx_port/$2" ;;
  esac
}
cipher_of() {  # port: what a server agrees on with a client like wrk
  openssl s_client -connect "127.0.0.1:$1" -CAfile "$work/ca/ca.pem" -brief </dev/null 2>&1 |
    awk -F': ' '/^Protocol version/ { p = $2 } /^Ciphersuite/ { c = $2 } /^Server Temp Key/ { k = $2 } END { print p, c, k }'
}
begin_server ours "$bin/firmware_server" --address 127.0.0.1 --port "$ours_port" --certificate "$work/server/server.pem" \
  --private-key "$work/server/server.key" "$work/files"
# The same order of the same ciphers. Of the session caches nginx offers none is on by default; both servers issue tickets.
begin_nginx "127.0.0.1:$nginx_port ssl" "
  ssl_certificate $work/server/server.pem;
  ssl_certificate_key $work/server/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"
curl_options=(--cacert "$work/ca/ca.pem")
check_bytes ours nginx
if [ "$(cipher_of "$ours_port")" != "$(cipher_of "$nginx_port")" ]; then
  echo "bench/tls: not the same cipher: $(cipher_of "$ours_port") and $(cipher_of "$nginx_port")" >&2
  exit 2
fi

echo "$(nginx -v 2>&1 | sed 's/.*: //'), $(openssl version | cut -d' ' -f1,2), $(cipher_of "$ours_port")"
echo "neither side uses the kernel's TLS"
print_conditions
point download nginx image 1 0.9
point download nginx image 64 0.9
point download nginx small 64 -
point handshake nginx small 64 - "Connection: close"
downloads_end
