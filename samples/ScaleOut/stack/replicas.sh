# The replicas, and who watches them. Sourced by run.sh.

start_replica() {
  pushd "$sample/App" >/dev/null
  ASPNETCORE_ENVIRONMENT=Production ASPNETCORE_URLS="http://127.0.0.1:${ports[$1]}" ASPNETCORE_FORWARDEDHEADERS_ENABLED=true \
    Replica=$1 ConnectionStrings__Orders=$(connection_string pgbouncer) \
    start "$1" "${as_self[@]}" dotnet "bin/$configuration/net10.0/ScaleOut.dll"
  popd >/dev/null
}

# Drains and ends by itself (Drain:Delay and ShutdownTimeout of appsettings.json), and is ready again when this returns.
restart_replica() {
  stop "$1" TERM 40
  start_replica "$1"
  await_ready "$1"
}

await_ready() {
  if ! await 60 test -f "$folder/ready/$1"; then
    echo "Replica $1 did not become ready." >&2
    return 1
  fi
}

# Asks each replica five times a second, and keeps a file for each that is ready: nginx sends requests to those.
watch_readiness() {
  local name
  while kill -0 $$ && sleep 0.2; do
    for name in one two; do
      if answers "${ports[$name]}"; then
        touch "$folder/ready/$name"
      else
        rm -f "$folder/ready/$name"
      fi
    done
  done
}
