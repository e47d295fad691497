#!/bin/bash
# HTTPS download throughput of firmware_server beside nginx: same certificate, same cipher, same file, same client (wrk),
# same run, the servers taking turns. Prints every point with its ratio and its bar; exit 1 when a bar is missed, 2 when
# the benchmark cannot run.
#
#   bench/tls/run.sh [--quick] [--bin DIR]
#     --quick   3 turns of 1 s in place of 5 turns of 3 s: a look, too short to judge by
#     --bin     where firmware_server and otaria are, default build/release/bin
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/release/bin
turns=5
seconds=3
arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --quick) turns=3 seconds=1 ;;
    --bin) bin=$2; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done

# A network of our own, where that is allowed, without BBR: bench/http/run.sh says why.
# shellcheck disable=SC2016  # expanded by the inner shell
prepare='ip link set lo up && sysctl -qw net.core.somaxconn=4096 &&
  { grep -qE "cubic|reno" /proc/sys/net/ipv4/tcp_congestion_control || sysctl -qw net.ipv4.tcp_congestion_control=reno; }'
if [ -z "${OTARIA_BENCH_NETWORK:-}" ]; then
  export OTARIA_BENCH_NETWORK=shared
  if unshare -n bash -c "$prepare" 2>/dev/null; then
    OTARIA_BENCH_NETWORK=own exec unshare -n bash -c "$prepare && exec \"\$@\"" - "$0" ${arguments[@]+"${arguments[@]}"}
  fi
fi

for tool in wrk nginx curl sha256sum openssl; do
  if ! command -v "$tool" >/dev/null && ! [ -x "/usr/sbin/$tool" ]; then
    echo "bench/tls: $tool is missing (scripts/setup.sh --bench installs it)" >&2
    exit 2
  fi
done
for program in firmware_server otaria; do
  if ! [ -x "$bin/$program" ]; then
    echo "bench/tls: no $bin/$program; build it first: cmake --preset release && cmake --build --preset release" >&2
    exit 2
  fi
done
PATH=$PATH:/usr/sbin

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317  # the trap calls it; shellcheck 0.9 loses sight of that before a script's closing exit
clean_up() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
  wait 2>/dev/null || :
  rm -rf "$work"
}
trap clean_up EXIT
ulimit -n "$(ulimit -Hn)"

mkdir "$work/files"
chmod 755 "$work" "$work/files"
head -c 1400000 /dev/urandom >"$work/files/image"
head -c 4096 /dev/urandom >"$work/files/small"
declare -A digest
for file in image small; do
  digest[$file]=$(sha256sum "$work/files/$file" | cut -d' ' -f1)
done
"$bin/otaria" cert ca --out "$work/ca" >/dev/null
"$bin/otaria" cert server --ca "$work/ca" --host 127.0.0.1 --out "$work/server" >/dev/null

# Two ports nobody listens on, found while both are held.
read -r ours_port nginx_port < <(python3 - <<'PY'
import socket
held = [socket.socket() for _ in range(2)]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PY
)

"$bin/firmware_server" --address 127.0.0.1 --port "$ours_port" --certificate "$work/server/server.pem" \
  --private-key "$work/server/server.key" "$work/files" >"$work/ours.log" 2>&1 &
pids+=($!)

# Beyond the defaults of Debian: what the comparison names, the same order of the same ciphers, a backlog as long as ours,
# and no limit on requests per connection, which would only hurt nginx here. Of the session caches nginx offers none is on
# by default; both servers issue tickets.
cat >"$work/nginx.conf" <<CONF
$([ "$(id -u)" = 0 ] && echo "user root;")
worker_processes auto;
worker_rlimit_nofile 16384;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events { worker_connections 8192; }
http {
  sendfile on;
  tcp_nopush on;
  access_log off;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path $work/body;
  proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi;
  scgi_temp_path $work/scgi;
  ssl_certificate $work/server/server.pem;
  ssl_certificate_key $work/server/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  server { listen 127.0.0.1:$nginx_port ssl backlog=4096; root $work/files; }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/nginx-error.log" >"$work/nginx.log" 2>&1 &
pids+=($!)

url_of() {  # server file
  case $1 in
    ours) echo "https://127.0.0.1:$ours_port/firmware/${digest[$2]}.bin" ;;
    nginx) echo "https://127.0.0.1:$nginx_port/$2" ;;
  esac
}
cipher_of() {  # server: what both agree on with a client like wrk
  local port=$nginx_port
  [ "$1" = ours ] && port=$ours_port
  openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca/ca.pem" -brief </dev/null 2>&1 |
    awk -F': ' '/^Protocol version/ { p = $2 } /^Ciphersuite/ { c = $2 } /^Server Temp Key/ { k = $2 } END { print p, c, k }'
}

# Every server must hand out the right bytes under the right certificate before it is timed.
for server in ours nginx; do
  for file in image small; do
    got=$(curl -s --cacert "$work/ca/ca.pem" --retry 20 --retry-connrefused --retry-delay 1 --max-time 20 \
      "$(url_of $server $file)" | sha256sum | cut -d' ' -f1)
    if [ "$got" != "${digest[$file]}" ]; then
      echo "bench/tls: $server does not serve $file" >&2
      cat "$work"/*.log >&2
      exit 2
    fi
  done
done
if [ "$(cipher_of ours)" != "$(cipher_of nginx)" ]; then
  echo "bench/tls: not the same cipher: $(cipher_of ours) and $(cipher_of nginx)" >&2
  exit 2
fi

measure() {  # server file connections [header]: requests per second; notes failed requests
  local threads=2 text
  [ "$3" -lt 2 ] && threads=1
  text=$(wrk -t$threads -c"$3" -d${seconds}s --timeout 10s ${4:+-H "$4"} "$(url_of "$1" "$2")")
  if grep -q "Non-2xx" <<<"$text" || { [ "$1" = ours ] && grep -q "Socket errors" <<<"$text"; }; then
    echo "$1 $2 at $3 connections: $(grep -E "Non-2xx|Socket errors" <<<"$text" | xargs)" >>"$work/faults"
  fi
  awk '/^Requests\/sec:/ { print $2 }' <<<"$text"
}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

missed=0
point() {  # name file connections bar(or -) [header]
  local name=$1 file=$2 connections=$3 bar=$4 header=${5:-} turn server ours theirs ratio verdict
  : >"$work/ours.runs"
  : >"$work/nginx.runs"
  for ((turn = 0; turn < turns; turn++)); do
    for server in $([ $((turn % 2)) -eq 1 ] && echo "ours nginx" || echo "nginx ours"); do
      measure "$server" "$file" "$connections" "$header" >>"$work/$server.runs"
    done
  done
  ours=$(median <"$work/ours.runs")
  theirs=$(median <"$work/nginx.runs")
  ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }')
  verdict=""
  if [ "$bar" != - ]; then
    if awk -v r="$ratio" -v b="$bar" 'BEGIN { exit !(r >= b) }'; then verdict="ok"; else verdict="MISSED"; missed=1; fi
  fi
  awk -v name="$name" -v size="$(stat -c %s "$work/files/$file")" -v c="$connections" -v a="$ours" -v b="$theirs" -v r="$ratio" \
    -v bar="$bar" -v verdict="$verdict" 'BEGIN {
      printf "%-10s %9d B %5d  %9.0f/s %8.1f MB/s  %9.0f/s %8.1f MB/s  %6.2f  %5s  %s\n",
             name, size, c, a, a * size / 1e6, b, b * size / 1e6, r, bar, verdict }'
}

echo "$(nginx -v 2>&1 | sed 's/.*: //'), $(openssl version | cut -d' ' -f1,2), $(cipher_of ours)"
echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) before"
echo "$OTARIA_BENCH_NETWORK network; neither side uses the kernel's TLS"
echo "medians of $turns turns of $seconds s; the client runs on the same processors"
printf "%-10s %11s %5s  %11s %13s  %11s %13s  %6s  %5s\n" what file conns ours "" nginx "" ratio bar
point download image 1 0.9
point download image 64 0.9
point download small 64 -
point handshake small 64 - "Connection: close"
echo "load $(cut -d' ' -f1 /proc/loadavg) after"
if [ -s "$work/faults" ]; then
  echo "failed requests:"
  sort "$work/faults" | uniq -c
  missed=1
fi
exit $missed
