#!/bin/bash
# Download throughput of firmware_server beside nginx and python3 -m http.server: same files, same client (wrk), same
# run, the servers taking turns. Prints every point with its ratio and its bar; exit 1 when a bar is missed, 2 when the
# benchmark cannot run.
#
#   bench/http/run.sh [--quick] [--bin DIR]
#     --quick   3 turns of 1 s in place of 5 turns of 3 s: a look, too short to judge by
#     --bin     where firmware_server is, default build/release/bin
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../downloads.sh"

downloads_begin bench/http "$@"
needs wrk nginx python3 curl sha256sum -- firmware_server
# Debian's interpreter: the one people have who type `python3 -m http.server`.
python=/usr/bin/python3
[ -x $python ] || python=python3

make_files
read -r ours_port nginx_port python_port < <(free_ports 3)
url_of() {  # server file
  case $1 in
    ours) echo "http://127.0.0.1:$ours_port/firmware/${digest[$2]}.bin" ;;
    nginx) echo "http://127.0.0.1:$nginx_port/$2" ;;
    python) echo "http://127.0.0.1:$python_port/$2" ;;
  esac
}
begin_server ours "$bin/firmware_server" --address 127.0.0.1 --port "$ours_port" "$work/files"
begin_nginx "127.0.0.1:$nginx_port"
begin_server python $python -m http.server --bind 127.0.0.1 --directory "$work/files" "$python_port"
check_bytes ours nginx python

echo "$(nginx -v 2>&1 | sed 's/.*: //'), $($python --version)"
print_conditions
point nginx nginx image 1 0.9
point nginx nginx image 64 0.9
point nginx nginx image 1000 0.9
point nginx nginx small 64 -
point python python image 64 2.5
point python python small 64 10
downloads_end
