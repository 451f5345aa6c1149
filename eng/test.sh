#!/usr/bin/env bash
# Builds once and runs every test. The last line says how many passed and failed; the exit code is 0 only if tests ran and none failed.
#
#   eng/test.sh                            everything
#   eng/test.sh --filter FullyQualifiedName~Resources    any other arguments of "dotnet test"
#
# Installs what tests need where it may (root on Debian or Ubuntu); elsewhere the tests that lack something are skipped and say why.
# With CI=true a skipped test counts as failed, unless its reason is that the thing cannot be installed.
# TEST_TIMEOUT (default 45m) bounds the run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly solution=ResilientHosting.sln
readonly results=artifacts/test-results

# Debian package | a file that shows it is installed (a pattern)
readonly tools=(
  'postgresql|/usr/lib/postgresql/*/bin/initdb'
  'pgbouncer|/usr/sbin/pgbouncer'
  'nginx|/usr/sbin/nginx'
  'curl|/usr/bin/curl'
  'fuse3|/usr/bin/fusermount3'
  'bindfs|/usr/bin/bindfs'
  'sshfs|/usr/bin/sshfs'
  'openssh-client|/usr/bin/ssh-keygen'
  'openssh-server|/usr/sbin/sshd'
  'chromium|/usr/bin/chromium'
  'gcc|/usr/bin/gcc'
  'libc6-dev|/usr/lib/*/crt1.o'
)

main() {
  exec </dev/null
  require_dotnet
  install_tools
  rm -rf "$results"
  mkdir -p "$results"

  if ! dotnet build "$solution" --nologo -v quiet; then
    echo 'The build failed; no test ran.'
    echo '0 passed, 0 failed'
    return 1
  fi

  local exit_code=0
  bounded dotnet test "$solution" --no-build --nologo --logger trx --results-directory "$results" \
    --blame-hang-timeout 5m --blame-hang-dump-type none "$@" || exit_code=$?
  report "$exit_code"
}

require_dotnet() {
  if ! command -v dotnet >/dev/null; then
    echo 'dotnet was not found. Install the .NET SDK named in global.json (https://dot.net) and run this again.' >&2
    exit 1
  fi
}

install_tools() {
  local missing=() tool
  for tool in "${tools[@]}"; do
    compgen -G "${tool#*|}" >/dev/null || missing+=("${tool%%|*}")
  done
  if ((${#missing[@]} == 0)); then
    return
  fi

  if ! command -v apt-get >/dev/null || ((EUID != 0)); then
    echo "Not installed: ${missing[*]}. The tests that need it are skipped; as root on Debian or Ubuntu this script installs it."
    return
  fi

  echo "Installing: ${missing[*]}"
  # RUNLEVEL=1 keeps packages from starting their services: tests start their own.
  if ! { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$(mktemp -t apt-XXXXXX.log)" 2>&1; then
    echo "apt-get could not install: ${missing[*]}. The tests that need it are skipped."
  fi
}

bounded() {
  if command -v timeout >/dev/null; then
    timeout --kill-after=30s "${TEST_TIMEOUT:-45m}" "$@"
  else
    "$@"
  fi
}

# Reads the result files, not the console: they are what the test platform itself has counted.
report() {
  local exit_code=$1 total executed passed failed skipped by_choice=0
  total=$(sum_counter total)
  executed=$(sum_counter executed)
  passed=$(sum_counter passed)
  failed=$((executed - passed))
  skipped=$((total - executed))

  echo
  results_with 'NotExecuted' '' | sed 's/^/skipped: /'
  results_with 'Failed' '' | sed 's/^/failed: /'

  if [[ ${CI:-} == true ]]; then
    by_choice=$(results_with 'NotExecuted' 'cannot be installed' | wc -l)
    failed=$((failed + by_choice))
    skipped=$((skipped - by_choice))
  fi

  if ((total == 0)); then
    echo 'No test ran.'
    exit_code=1
  elif ((exit_code == 124 || exit_code == 137)); then
    echo "The tests were stopped after ${TEST_TIMEOUT:-45m}; tests that had not ended are not counted."
  elif ((exit_code != 0 && failed == 0)); then
    echo "The test run itself failed (exit code $exit_code) although no test did: see above."
  elif ((failed > 0)); then
    exit_code=1
  fi

  if ((skipped > 0)); then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
  return "$exit_code"
}

result_files() {
  find "$results" -name '*.trx' -exec cat {} +
}

sum_counter() {
  result_files | awk -v name=" $1=\"" '
    BEGIN { RS = ">" }
    /<Counters / && (at = index($0, name)) { sum += substr($0, at + length(name)) + 0 }
    END { print sum + 0 }'
}

# The names of the tests with an outcome, without those whose record contains a text.
results_with() {
  result_files | awk -v outcome="outcome=\"$1\"" -v except="$2" '
    BEGIN { RS = "<UnitTestResult " }
    NR > 1 { sub(/<\/UnitTestResult>.*/, "") }
    NR > 1 && index(substr($0, 1, index($0, ">")), outcome) && (except == "" || !index($0, except)) {
      if (match($0, /testName="[^"]*"/)) { print substr($0, RSTART + 10, RLENGTH - 11) }
    }'
}

main "$@"
