# What the comparisons of downloads share: options, a network of their own, files, nginx, turns and medians. Source it, then
# define `url_of SERVER FILE`, where SERVER is `ours` or a peer, and FILE `image` or `small`. In this order:
#
#   downloads_begin NAME "$@"              reads --quick and --bin DIR; the script's leading comment is its help
#   needs TOOL… -- PROGRAM…                ends with 2 when one of them is missing; PROGRAMs are ours, in $bin
#   make_files                             $work, gone at the end, with files/image and files/small; ${digest[FILE]}
#   free_ports COUNT                       prints ports nobody listens on
#   begin_server NAME COMMAND…             in the background; its output goes to $work/NAME.log
#   begin_nginx LISTEN [LINES]             nginx serving $work/files; LINES go into its http block
#   check_bytes SERVER…                    none is timed before it hands out the right bytes; `curl_options` are curl's
#   print_conditions
#   point NAME PEER FILE CONNECTIONS BAR [HEADER]   prints one line of medians; BAR is the least ratio, or - for none
#   downloads_end                          prints what failed; its code is 1 when a bar was missed or a request failed
# shellcheck shell=bash

turns=5
seconds=3
missed=0
curl_options=()
pids=()
declare -A digest

downloads_begin() {
  bench=$1
  shift
  local arguments=("$@")
  bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/release/bin
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) turns=3 seconds=1 ;;
      --bin) bin=$2; shift ;;
      *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
  done
  own_network ${arguments[@]+"${arguments[@]}"}
  PATH=$PATH:/usr/sbin
}

# A network of our own, where that is allowed, without BBR: a machine that prefers it paces nginx and http.server even on
# loopback (firmware_server asks for reno there), and the comparison would measure that and not the servers.
own_network() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  local prepare='ip link set lo up && sysctl -qw net.core.somaxconn=4096 &&
    { grep -qE "cubic|reno" /proc/sys/net/ipv4/tcp_congestion_control || sysctl -qw net.ipv4.tcp_congestion_control=reno; }'
  if [ -n "${OTARIA_BENCH_NETWORK:-}" ]; then return; fi
  export OTARIA_BENCH_NETWORK=shared
  if unshare -n bash -c "$prepare" 2>/dev/null; then
    OTARIA_BENCH_NETWORK=own exec unshare -n bash -c "$prepare && exec \"\$@\"" - "$0" "$@"
  fi
}

needs() {
  while [ "$1" != -- ]; do
    if ! command -v "$1" >/dev/null; then
      echo "$bench: $1 is missing (scripts/setup.sh --bench installs it)" >&2
      exit 2
    fi
    shift
  done
  shift
  local program
  for program in "$@"; do
    if ! [ -x "$bin/$program" ]; then
      echo "$bench: no $bin/$program; build it first: cmake --preset release && cmake --build --preset release" >&2
      exit 2
    fi
  done
}

# shellcheck disable=SC2317  # the trap calls it; shellcheck 0.9 loses sight of that before a script's closing exit
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
  wait 2>/dev/null || :
  rm -rf "$work"
}

make_files() {
  work=$(mktemp -d)
  trap clean_up EXIT
  ulimit -n "$(ulimit -Hn)"
  mkdir "$work/files"
  chmod 755 "$work" "$work/files"
  head -c 1400000 /dev/urandom >"$work/files/image"
  head -c 4096 /dev/urandom >"$work/files/small"
  local file
  for file in image small; do
    digest[$file]=$(sha256sum "$work/files/$file" | cut -d' ' -f1)
  done
}

free_ports() {  # found while all of them are held
  python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PY
}

begin_server() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
}

# Beyond the defaults of Debian: what the comparison names, a backlog as long as ours, and no limit on requests per
# connection, which would only hurt nginx here.
begin_nginx() {
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
  ${2:-}
  server { listen $1 backlog=4096; root $work/files; }
}
CONF
  begin_server nginx nginx -c "$work/nginx.conf" -e "$work/nginx-error.log"
}

check_bytes() {
  local server file got
  for server in "$@"; do
    for file in image small; do
      got=$(curl -s ${curl_options[@]+"${curl_options[@]}"} --retry 20 --retry-connrefused --retry-delay 1 --max-time 20 \
        "$(url_of "$server" $file)" | sha256sum | cut -d' ' -f1)
      if [ "$got" != "${digest[$file]}" ]; then
        echo "$bench: $server does not serve $file" >&2
        cat "$work"/*.log >&2
        exit 2
      fi
    done
  done
}

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

print_conditions() {
  echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg) before; $OTARIA_BENCH_NETWORK network," \
    "congestion control $(cat /proc/sys/net/ipv4/tcp_congestion_control) (firmware_server on loopback: reno)"
  echo "medians of $turns turns of $seconds s; the client runs on the same processors"
  printf "%-10s %11s %5s  %11s %13s  %11s %13s  %6s  %5s\n" what file conns ours "" peer "" ratio bar
}

point() {
  local name=$1 peer=$2 file=$3 connections=$4 bar=$5 header=${6:-} turn server ours theirs ratio verdict=""
  : >"$work/ours.runs"
  : >"$work/$peer.runs"
  for ((turn = 0; turn < turns; turn++)); do
    for server in $([ $((turn % 2)) -eq 1 ] && echo "ours $peer" || echo "$peer ours"); do
      measure "$server" "$file" "$connections" "$header" >>"$work/$server.runs"
    done
  done
  ours=$(median <"$work/ours.runs")
  theirs=$(median <"$work/$peer.runs")
  ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }')
  if [ "$bar" != - ]; then
    if awk -v r="$ratio" -v b="$bar" 'BEGIN { exit !(r >= b) }'; then verdict="ok"; else verdict="MISSED"; missed=1; fi
  fi
  awk -v name="$name" -v size="$(stat -c %s "$work/files/$file")" -v c="$connections" -v a="$ours" -v b="$theirs" -v r="$ratio" \
    -v bar="$bar" -v verdict="$verdict" 'BEGIN {
      printf "%-10s %9d B %5d  %9.0f/s %8.1f MB/s  %9.0f/s %8.1f MB/s  %6.2f  %5s  %s\n",
             name, size, c, a, a * size / 1e6, b, b * size / 1e6, r, bar, verdict }'
}

downloads_end() {
  echo "load $(cut -d' ' -f1 /proc/loadavg) after"
  if [ -s "$work/faults" ]; then
    echo "failed requests:"
    sort "$work/faults" | uniq -c
    missed=1
  fi
  return "$missed"
}
