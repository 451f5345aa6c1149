#!/usr/bin/env bash
# Two replicas of the order desk behind nginx, over PgBouncer and PostgreSQL, on this machine's loopback. See README.md.
#
#   ./run.sh                          starts everything, stops it with Ctrl+C
#   ./run.sh rolling-restart [N]      starts everything, restarts each replica N times (default 3) under load, and tells what clients saw
#
#   PORT=8080          where nginx listens; 0 takes a free port. All other ports are free ones.
#   CONFIGURATION      Release (the default) or Debug
#   NO_BUILD=1         what is in bin is run as it is
set -euo pipefail

sample=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly sample configuration=${CONFIGURATION:-Release}
source "$sample/stack/processes.sh"
source "$sample/stack/servers.sh"
source "$sample/stack/replicas.sh"
source "$sample/stack/rolling-restart.sh"

main() {
  local command=${1:-serve} rounds=${2:-3}
  if (($# > 2)) || [[ ! $command =~ ^(serve|rolling-restart)$ || ! $rounds =~ ^[1-9][0-9]*$ ]]; then
    echo "Usage: $0 [rolling-restart [N]]" >&2
    return 2
  fi

  require_programs
  if [[ -z ${NO_BUILD:-} ]]; then
    dotnet build "$sample/App" -c "$configuration" -v quiet --nologo
    dotnet build "$sample/Load" -c "$configuration" -v quiet --nologo
  fi

  trap 'exit 130' INT TERM
  trap stop_everything EXIT
  make_folder
  choose_ports
  start_postgres
  start_pgbouncer
  start_replica one
  start_replica two
  watch_readiness &
  processes[watch]=$!
  await_ready one
  await_ready two
  start_nginx
  "$command"
}

serve() {
  cat <<END
nginx        http://127.0.0.1:$port
replica one  http://127.0.0.1:${ports[one]}, process ${processes[one]}
replica two  http://127.0.0.1:${ports[two]}, process ${processes[two]}
logs         $folder/logs
Ctrl+C stops everything.
END
  wait -n "${processes[@]}" || true
  echo 'One of these processes has ended; the others are stopped.' >&2
  return 1
}

main "$@"
