#!/usr/bin/env bash
# Runs every benchmark and prints where the tables are. Takes about an hour; close everything else.
#
#   eng/bench.sh                  everything
#   eng/bench.sh --quick          a few minutes: shows that everything runs, its figures mean little
#
# The outages need PostgreSQL, the swaps wrk and h2load (Debian: apt-get install postgresql wrk nghttp2-client); what lacks something is
# left out, and the exit code is not 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly results=artifacts/benchmarks
readonly benchmarks=benchmarks/ResilientHosting.Benchmarks
readonly outages=benchmarks/ResilientHosting.Outages
readonly storms=benchmarks/ResilientHosting.AbortStorms
readonly reloads=benchmarks/ResilientHosting.ReloadLatency
readonly swaps=benchmarks/ResilientHosting.SwapLoad
readonly soak=benchmarks/ResilientHosting.Soak

main() {
  local job=Default rounds=15 quick=() exit_code=0
  case "${1:-}" in
    '') ;;
    --quick) job=Short rounds=3 quick=(--quick) ;;
    *)
      echo "Unknown argument: $1. Usage: eng/bench.sh [--quick]" >&2
      return 2
      ;;
  esac

  mkdir -p "$results"
  dotnet build -c Release --nologo -v quiet "$benchmarks"
  dotnet build -c Release --nologo -v quiet "$outages"
  dotnet build -c Release --nologo -v quiet "$storms"
  dotnet build -c Release --nologo -v quiet "$reloads"
  dotnet build -c Release --nologo -v quiet "$swaps"
  dotnet build -c Release --nologo -v quiet "$soak"

  dotnet run -c Release --no-build --project "$benchmarks" -- --filter '*' --job "$job" --artifacts "$results"
  dotnet run -c Release --no-build --project "$benchmarks" -- requests "$rounds" | tee "$results/requests.txt"
  dotnet run -c Release --no-build --project "$storms" -- "${quick[@]}" --markdown "$results/abort-storms.md" \
    | tee "$results/abort-storms.txt"
  dotnet run -c Release --no-build --project "$reloads" -- "${quick[@]}" --markdown "$results/reloads.md" \
    | tee "$results/reloads.txt"
  dotnet run -c Release --no-build --project "$swaps" -- "${quick[@]}" --markdown "$results/swaps.md" \
    | tee "$results/swaps.txt" || exit_code=$?
  dotnet run -c Release --no-build --project "$soak" -- "${quick[@]}" --markdown "$results/soak.md" \
    | tee "$results/soak.txt" || exit_code=$?
  dotnet run -c Release --no-build --project "$outages" -- "${quick[@]}" --markdown "$results/outages.md" \
    | tee "$results/outages.txt" || exit_code=$?

  echo
  echo 'Tables:'
  find "$results" \( -name '*-report-github.md' -o -name 'requests.txt' -o -name 'outages.*' -o -name 'abort-storms.*' -o -name 'reloads.*' -o -name 'swaps.*' -o -name 'soak.*' \) -size +0 | sort
  return "$exit_code"
}

main "$@"
