# Starts programs in the background, remembers them by name, and ends exactly those. Source it; then:
#
#   processes_begin DIRECTORY        logs go to DIRECTORY/NAME.log; everything started is ended when the shell exits
#   spawn NAME COMMAND…              starts it; its output goes to the log
#   is_running NAME
#   stop NAME                        SIGTERM, then SIGKILL after 10 s; its exit code is then in $stopped_code
#   kill_hard NAME                   SIGKILL, as a power cut or the out-of-memory killer would
#   wait_until SECONDS COMMAND…      tries COMMAND every 0.1 s; fails when the time is over
#   free_port                        prints a TCP port of 127.0.0.1 on which nothing listens
# shellcheck shell=bash

declare -gA process_ids=()
process_logs=

processes_begin() {
  process_logs=$1
  mkdir -p "$process_logs"
  trap processes_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

processes_end() {
  local code=$? process
  trap - EXIT
  set +eu  # ending the rest matters more than the first thing that goes wrong here
  if declare -F before_processes_end >/dev/null; then before_processes_end "$code"; fi
  for process in "${!process_ids[@]}"; do kill "${process_ids[$process]}" 2>/dev/null; done
  for process in "${!process_ids[@]}"; do stop "$process"; done
  if declare -F after_processes_end >/dev/null; then after_processes_end "$code"; fi
  exit "$code"
}

spawn() {
  local name=$1
  shift
  # None of our own descriptors: a child that kept the test runner's pipe open would keep the runner waiting.
  "$@" >>"$process_logs/$name.log" 2>&1 </dev/null &
  process_ids[$name]=$!
}

is_running() { [ -n "${process_ids[$1]:-}" ] && ! process_is_gone "${process_ids[$1]}"; }

# Tells the program's own exit code in $stopped_code, so that a caller under `set -e` need not guard the call.
stop() {
  local name=$1 pid=${process_ids[$1]:-}
  stopped_code=0
  [ -n "$pid" ] || return 0
  if kill -TERM "$pid" 2>/dev/null && ! wait_until 10 process_is_gone "$pid"; then
    echo "$name (process $pid) did not end within 10 s of SIGTERM; killed" >&2
    kill -KILL "$pid" 2>/dev/null
  fi
  # shellcheck disable=SC2034  # read by the callers
  wait "$pid" 2>/dev/null || stopped_code=$?
  unset "process_ids[$name]"
}

kill_hard() {
  local pid=${process_ids[$1]:-}
  [ -n "$pid" ] || return 0
  # Disowned first: bash would print "Killed" with the whole command line.
  disown "$pid" 2>/dev/null
  if kill -KILL "$pid" 2>/dev/null; then wait_until 10 process_is_gone "$pid"; fi
  unset "process_ids[$1]"
}

# A child that ended stays a zombie until it is waited for: kill -0 would call it alive.
process_is_gone() {
  local state
  state=$(ps -o state= -p "$1" 2>/dev/null)
  [ -z "$state" ] || [ "${state:0:1}" = Z ]
}

wait_until() {
  local microseconds=$(($1 * 1000000)) began=${EPOCHREALTIME//[.,]/}
  shift
  while ! "$@"; do
    [ $((${EPOCHREALTIME//[.,]/} - began)) -lt "$microseconds" ] || return 1
    sleep 0.1
  done
}

# Below the range from which the kernel takes ports of outgoing connections, so that none of those comes in between. Cases
# that run at once take turns by one file: a port that was only just found free is not given to the next who asks.
free_port() {
  local port last try turns=${TMPDIR:-/tmp}/otaria-ports-$UID
  for try in {1..50}; do
    # shellcheck disable=SC2094  # one file: read, then written
    {
      flock 9
      last=$(tr -cd 0-9 <"$turns")
      port=$((20000 + (10#${last:-$RANDOM} + 4000 + try) % 12000))
      echo "$port" >"$turns"
    } 9>>"$turns"
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  echo "no free port between 20000 and 31999" >&2
  return 1
}

# What the broker's process alone finds in its environment: NAME=VALUE each.
broker_environment=()
# start_broker NAME PORT DIRECTORY [CONFIGURATION_LINE…]: Mosquitto, restartable: it keeps sessions and retained messages.
start_broker() {
  local name=$1 port=$2 directory=$3 mosquitto
  shift 3
  mosquitto=$(PATH="$PATH:/usr/sbin" command -v mosquitto) || {
    echo "mosquitto is not installed; ./scripts/setup.sh installs it" >&2
    return 1
  }
  mkdir -p "$directory"
  {
    printf '%s\n' "listener $port 127.0.0.1" "persistence true" \
      "persistence_location $directory/" "autosave_interval 1" "log_type error" "log_type warning" "log_type notice" "log_type subscribe"
    # Started by root, Mosquitto would become the user mosquitto, who may not write here.
    if [ "$(id -u)" -eq 0 ]; then echo "user root"; fi
    [[ " $*" == *allow_anonymous* ]] || echo "allow_anonymous true"
    [ $# -eq 0 ] || printf '%s\n' "$@"
  } >"$directory/mosquitto.conf"
  spawn "$name" env "${broker_environment[@]}" "$mosquitto" -c "$directory/mosquitto.conf"
  wait_until 10 port_answers_or_dead "$name" "$port" && is_running "$name"
}
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port_answers_or_dead() { port_answers "$2" || ! is_running "$1"; }
