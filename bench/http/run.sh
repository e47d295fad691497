#!/bin/bash
# Download throughput of firmware_server beside nginx and python3 -m http.server: same files, same client (wrk), same
# run, the servers taking turns. Prints every point with its ratio and its bar; exit 1 when a bar is missed, 2 when the
# benchmark cannot run.
#
#   bench/http/run.sh [--quick] [--bin DIR]
#     --quick   3 turns of 1 s in place of 5 turns of 3 s: a look, too short to judge by
#     --bin     where firmware_server is, default build/release/bin
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
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done

# A network of our own, where that is allowed, without BBR: a machine that prefers it paces nginx and http.server even on
# loopback (firmware_server asks for reno there), and the comparison would measure that and not the servers.
# shellcheck disable=SC2016  # expanded by the inner shell
prepare='ip link set lo up && sysctl -qw net.core.somaxconn=4096 &&
  { grep -qE "cubic|reno" /proc/sys/net/ipv4/tcp_congestion_control || sysctl -qw net.ipv4.tcp_congestion_control=reno; }'
if [ -z "${OTARIA_BENCH_NETWORK:-}" ]; then
  export OTARIA_BENCH_NETWORK=shared
  if unshare -n bash -c "$prepare" 2>/dev/null; then
    OTARIA_BENCH_NETWORK=own exec unshare -n bash -c "$prepare && exec \"\$@\"" - "$0" ${arguments[@]+"${arguments[@]}"}
  fi
fi

for tool in wrk nginx python3 curl sha256sum; do
  if ! command -v "$tool" >/dev/null && ! [ -x "/usr/sbin/$tool" ]; then
    echo "bench/http: $tool is missing (scripts/setup.sh installs it)" >&2
    exit 2
  fi
done
if ! [ -x "$bin/firmware_server" ]; then
  echo "bench/http: no $bin/firmware_server; build it first: cmake --preset release && cmake --build --preset release" >&2
  exit 2
fi
PATH=$PATH:/usr/sbin
# Debian's interpreter: the one people have who type `python3 -m http.server`.
python=/usr/bin/python3
[ -x $python ] || python=python3

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

# Three ports nobody listens on, found while all three are held.
read -r ours_port nginx_port python_port < <($python - <<'PY'
import socket
held = [socket.socket() for _ in range(3)]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PY
)

"$bin/firmware_server" --address 127.0.0.1 --port "$ours_port" "$work/files" >"$work/ours.log" 2>&1 &
pids+=($!)

# Beyond the defaults of Debian: what the comparison names, a backlog as long as ours, and no limit on requests per
# connection, which would only hurt nginx here.
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
  server { listen 127.0.0.1:$nginx_port backlog=4096; root $work/files; }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/nginx-error.log" >"$work/nginx.log" 2>&1 &
pids+=($!)
(cd "$work/files" && exec $python -m http.server --bind 127.0.0.1 "$python_port" >/dev/null 2>&1) &
pids+=($!)

url_of() {  # server file
  case $1 in
    ours) echo "http://127.0.0.1:$ours_port/firmware/${digest[$2]}.bin" ;;
    nginx) echo "http://127.0.0.1:$nginx_port/$2" ;;
    python) echo "http://127.0.0.1:$python_port/$2" ;;
  esac
}

# Every server must hand out the right bytes before it is timed.
for server in ours nginx python; do
  for file in image small; do
    got=$(curl -s --retry 20 --retry-connrefused --retry-delay 1 --max-time 20 "$(url_of $server $file)" | sha256sum | cut -d' ' -f1)
    if [ "$got" != "${digest[$file]}" ]; then
      echo "bench/http: $server does not serve $file" >&2
      cat "$work"/*.log >&2
      exit 2
    fi
  done
done

measure() {  # server file connections: requests per second; notes failed requests
  local threads=2 text
  [ "$3" -lt 2 ] && threads=1
  text=$(wrk -t$threads -c"$3" -d${seconds}s --timeout 10s "$(url_of "$1" "$2")")
  if grep -q "Non-2xx" <<<"$text" || { [ "$1" = ours ] && grep -q "Socket errors" <<<"$text"; }; then
    echo "$1 $2 at $3 connections: $(grep -E "Non-2xx|Socket errors" <<<"$text" | xargs)" >>"$work/faults"
  fi
  awk '/^Requests\/sec:/ { print $2 }' <<<"$text"
}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

missed=0
point() {  # peer file connections bar(or -)
  local peer=$1 file=$2 connections=$3 bar=$4 size turn ours theirs ratio verdict
  : >"$work/ours.runs"
  : >"$work/peer.runs"
  for ((turn = 0; turn < turns; turn++)); do
    if ((turn % 2)); then
      measure ours "$file" "$connections" >>"$work/ours.runs"
      measure "$peer" "$file" "$connections" >>"$work/peer.runs"
    else
      measure "$peer" "$file" "$connections" >>"$work/peer.runs"
      measure ours "$file" "$connections" >>"$work/ours.runs"
    fi
  done
  size=$(stat -c %s "$work/files/$file")
  ours=$(median <"$work/ours.runs")
  theirs=$(median <"$work/peer.runs")
  ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }')
  verdict=""
  if [ "$bar" != - ]; then
    if awk -v r="$ratio" -v b="$bar" 'BEGIN { exit !(r >= b) }'; then verdict="ok"; else verdict="MISSED"; missed=1; fi
  fi
  awk -v peer="$peer" -v size="$size" -v c="$connections" -v a="$ours" -v b="$theirs" -v r="$ratio" -v bar="$bar" \
    -v verdict="$verdict" 'BEGIN {
      printf "%-7s %9d B %5d  %9.0f/s %8.1f MB/s  %9.0f/s %8.1f MB/s  %6.2f  %5s  %s\n",
             peer, size, c, a, a * size / 1e6, b, b * size / 1e6, r, bar, verdict }'
}

echo "$(nginx -v 2>&1 | sed 's/.*: //'), $($python --version), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) before"
echo "$OTARIA_BENCH_NETWORK network, congestion control $(cat /proc/sys/net/ipv4/tcp_congestion_control) (firmware_server on loopback: reno)"
echo "medians of $turns turns of $seconds s; the client runs on the same processors"
printf "%-7s %11s %5s  %11s %13s  %11s %13s  %6s  %5s\n" peer file conns ours "" peer "" ratio bar
point nginx image 1 0.9
point nginx image 64 0.9
point nginx image 1000 0.9
point nginx small 64 -
point python image 64 2.5
point python small 64 10
echo "load $(cut -d' ' -f1 /proc/loadavg) after"
if [ -s "$work/faults" ]; then
  echo "failed requests:"
  sort "$work/faults" | uniq -c
  missed=1
fi
exit $missed
