# The folder everything lives in, and the processes that end with it. Sourced by run.sh.

declare -A processes=() ports=()
as_self=() as_server=() folder='' port='' password=''

require_programs() {
  local programs=(curl nginx pgbouncer psql dotnet setpriv setsid) missing=() program
  PATH=$PATH:/usr/sbin:$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
  for program in "${programs[@]}" postgres initdb; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]})); then
    echo "Not found: ${missing[*]}." >&2
    echo 'On Debian or Ubuntu: RUNLEVEL=1 apt-get install nginx pgbouncer postgresql curl util-linux; dotnet is at https://dot.net.' >&2
    return 1
  fi

  # What this script starts ends with it, even if it is killed. PostgreSQL and PgBouncer refuse to run as root: there all servers run as
  # the user of Debian's packages.
  as_self=(setpriv --pdeathsig TERM)
  as_server=("${as_self[@]}")
  if ((EUID == 0)); then
    as_server+=(--reuid=postgres --regid=postgres --clear-groups)
  fi
}

make_folder() {
  umask 077
  folder=$(mktemp -d -t scaleout-XXXXXX)
  mkdir "$folder"/{logs,ready,nginx,pgbouncer,postgres}
  password=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  if ((EUID == 0)); then
    # Servers pass through, and nginx looks for files.
    chmod 711 "$folder" "$folder/ready"
  fi

  # The servers' users may not see where this was called.
  cd "$folder"
}

# Leaves files and folders to the user that the servers run as.
hand_over() {
  if ((EUID == 0)); then
    chown -R postgres "$@"
  fi
}

choose_ports() {
  local name
  for name in nginx postgres pgbouncer one two; do
    choose_port "$name"
  done
  port=${PORT:-8080}
  if ((port == 0)); then
    port=${ports[nginx]}
  elif in_use "$port"; then
    echo "Port $port is in use. Choose another one (PORT=9090), or PORT=0 for any that is free." >&2
    return 1
  fi
}

# A free port that no other has, from below the range that the system gives to outgoing connections.
choose_port() {
  local candidate
  while candidate=$((20000 + RANDOM % 12000)); [[ " ${ports[*]} " == *" $candidate "* ]] || in_use "$candidate"; do :; done
  ports[$1]=$candidate
}

in_use() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# start NAME COMMAND...: in the background, with a log of its own. In a session of its own, so that Ctrl+C reaches this script alone,
# which then stops everything in order.
start() {
  local name=$1
  shift
  setsid "$@" >>"$folder/logs/$name.log" 2>&1 </dev/null &
  processes[$name]=$!
}

# stop NAME [SIGNAL] [SECONDS]: fails if the process does not end in time, or ends with an error.
stop() {
  local name=$1 signal=${2:-TERM} seconds=${3:-10} process=${processes[$1]:-} exit_code=0
  if [[ -z $process ]]; then
    return
  fi
  kill -s "$signal" "$process" 2>/dev/null || true
  if ! await "$seconds" ended "$process"; then
    echo "$name did not stop within $seconds s and is killed." >&2
    kill -s KILL "$process"
  fi
  wait "$process" || exit_code=$?
  unset "processes[$name]"
  return "$exit_code"
}

ended() {
  ! kill -0 "$1" 2>/dev/null
}

# await SECONDS COMMAND...: until the command succeeds.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS > end)); then
      return 1
    fi
    sleep 0.1
  done
}

stop_everything() {
  local exit_code=$? name
  trap '' INT TERM
  if ((exit_code != 0 && exit_code != 130)); then
    show_logs
  fi
  for name in load watch sampler nginx; do
    stop "$name" || true
  done

  # Asked twice, a replica does not drain.
  for name in one two; do
    kill -s TERM "${processes[$name]:-}" 2>/dev/null || true
  done
  for name in one two; do
    stop "$name" TERM 40 || true
  done
  stop pgbouncer INT || true
  stop postgres INT || true
  rm -rf "$folder"
}

show_logs() {
  local log
  for log in "$folder"/logs/*.log; do
    if [[ -s $log ]]; then
      echo "--- ${log##*/}" >&2
      tail -n 20 "$log" >&2
    fi
  done
}
