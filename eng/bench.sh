#!/usr/bin/env bash
# Measures this library and its peers, and writes docs/performance.md with its pictures. About 50 minutes on two cores; close everything else.
#
#   eng/bench.sh                        everything
#   eng/bench.sh --quick                about 12 minutes: shows that everything runs, its figures mean little
#   eng/bench.sh --only pools storm     these parts; the page is written from all results that are there
#
# The results are kept in benchmarks/results. A part that fails, or takes longer than its limit, does not stop the others; what it had
# measured is kept and the page says so. The exit code is the number of parts that failed.
#
# Peers that are not installed are left out, and the page says so. On Debian:
#   apt-get install postgresql wrk nghttp2-client python3-flask gunicorn python3-gevent uvicorn nodejs npm
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly logs=artifacts/benchmarks
readonly peers=artifacts/peers
readonly nodemon=nodemon@3.1.14
readonly projects=(Benchmarks Outages AbortStorms ReloadLatency SwapLoad Soak Footprint Performance)
readonly all_parts=(
  overhead requests pools sweep
  footprint
  aborts abort-peers complete-posts storm
  outages
  swaps soak
  reload-file reload-sample reload-mvc reload-growth
)

# The project of a part, its arguments, and its limit in seconds.
describe() {
  case "$1" in
    overhead) echo "Benchmarks $1 420" ;;
    requests | pools | sweep) echo "Benchmarks $1 300" ;;
    footprint) echo 'Footprint - 300' ;;
    aborts) echo "AbortStorms --only,$1 300" ;;
    abort-peers | complete-posts | storm) echo "AbortStorms --only,$1 180" ;;
    outages) echo 'Outages - 400' ;;
    swaps) echo 'SwapLoad - 300' ;;
    soak) echo 'Soak - 400' ;;
    reload-growth) echo 'ReloadLatency growth 2000' ;;
    reload-*) echo "ReloadLatency ${1#reload-} 300" ;;
    *) return 1 ;;
  esac
}

usage() {
  echo "$1 Usage: eng/bench.sh [--quick] [--only PART...]. The parts are: ${all_parts[*]}." >&2
  exit 64
}

main() {
  local quick=() parts=()
  while (($# > 0)); do
    case "$1" in
      --quick) quick=(--quick) ;;
      --only)
        (($# > 1)) || usage 'No part is named.'
        shift
        for part; do
          [[ $part == --quick ]] && quick=(--quick) && continue
          describe "$part" > /dev/null || usage "There is no part $part."
          parts+=("$part")
        done
        break
        ;;
      *) usage "Unknown argument: $1." ;;
    esac
    shift
  done
  ((${#parts[@]} > 0)) || parts=("${all_parts[@]}")

  mkdir -p "$logs"
  local project
  for project in "${projects[@]}"; do
    if ! dotnet build -c Release --nologo -v quiet "benchmarks/ResilientHosting.$project" > "$logs/build.log" 2>&1; then
      cat "$logs/build.log" >&2
      exit 1
    fi
  done

  find_nodemon
  local part failed=()
  for part in "${parts[@]}"; do
    measure "$part" "${quick[@]}" || failed+=("$part")
  done

  run Performance > "$logs/performance.log" 2>&1 || { tail -n 20 "$logs/performance.log" >&2; failed+=(performance.md); }
  echo
  echo "docs/performance.md is written. Failed: ${failed[*]:-nothing}."
  return "${#failed[@]}"
}

# Runs one part within its limit. The output is kept; of a failure the end is shown.
measure() {
  local part=$1 project arguments limit began=$SECONDS code=0
  shift
  read -r project arguments limit < <(describe "$part")
  [[ $arguments == - ]] && arguments=''
  printf '%-16s' "$part"
  # shellcheck disable=SC2086 # the arguments of a part are separate words
  timeout --kill-after 20 "$limit" dotnet run -c Release --no-build --project "benchmarks/ResilientHosting.$project" -- \
    ${arguments//,/ } "$@" --record > "$logs/$part.log" 2>&1 || code=$?
  case "$code" in
    0) echo "$((SECONDS - began)) s" ;;
    124 | 137) echo "ended after its limit of $limit s" ;;
    *)
      echo "failed with exit code $code after $((SECONDS - began)) s:"
      tail -n 20 "$logs/$part.log" | sed 's/^/    /'
      ;;
  esac
  return "$code"
}

run() {
  dotnet run -c Release --no-build --project "benchmarks/ResilientHosting.$1"
}

# nodemon is no package of Debian. It is put into a folder of its own, which git ignores.
find_nodemon() {
  command -v nodemon > /dev/null && return
  if [[ ! -x $peers/node_modules/.bin/nodemon ]] && command -v npm > /dev/null; then
    npm install --silent --no-fund --no-audit --prefix "$peers" "$nodemon" > "$logs/nodemon.log" 2>&1 || true
  fi
  PATH=$PWD/$peers/node_modules/.bin:$PATH
}

main "$@"
