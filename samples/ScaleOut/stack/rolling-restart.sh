# Restarts the replicas in turn while customers shop. Sourced by run.sh.

rolling-restart() {
  local round name restarts=0 exit_code=0 began=$SECONDS
  start_sampler
  ORDERS_DATABASE=$(connection_string postgres) start load "${as_self[@]}" \
    dotnet "$sample/Load/bin/$configuration/net10.0/ScaleOut.Load.dll" "http://127.0.0.1:$port"

  sleep 3
  for ((round = 0; round < rounds; round++)); do
    for name in one two; do
      echo "Restarting replica $name ..."
      restart_replica "$name"
      restarts=$((restarts + 1))

      # Some time with both, as between the replicas of any rollout that is watched.
      sleep 3
    done
  done

  stop load TERM 60 || exit_code=$?
  stop sampler || true
  echo
  cat "$folder/logs/load.log"
  rm "$folder/logs/load.log"
  echo "restarts           $restarts in $((SECONDS - began)) s"
  summarize_proxy
  summarize_pools || exit_code=1
  return "$exit_code"
}

# What PgBouncer says about its pools, five times a second.
start_sampler() {
  echo 'show pools \watch 0.2' >"$folder/sampler.sql"
  PGPASSWORD=$password start sampler "${as_self[@]}" psql -X -A -F '|' -h 127.0.0.1 -p "${ports[pgbouncer]}" -U orders -d pgbouncer \
    -f "$folder/sampler.sql"
}

# As many as the customers have sent, if nobody sent one again in silence.
summarize_proxy() {
  awk -F '|' '
    $1 !~ "^/health/" { requests++; again += $3 ~ /,/ }
    END { printf "nginx              %d requests, %d of them tried at a second replica\n", requests, again }' "$folder/nginx/access.log"
}

# Finds the columns by their names, since versions of PgBouncer have more or fewer. Fails if the budget was exceeded.
summarize_pools() {
  local budget exit_code=0
  budget=$(awk '$1 == "default_pool_size" { print $3 }' "$sample/stack/pgbouncer.ini")
  awk -F '|' -v budget="$budget" '
    $1 == "database" { for (i = 1; i <= NF; i++) { name[i] = $i } next }
    $1 == "orders" {
      samples++
      servers = clients = waiting = 0
      for (i = 1; i <= NF; i++) {
        if (name[i] ~ /^sv_/) { servers += $i }
        if (name[i] == "cl_active" || name[i] == "cl_waiting") { clients += $i }
        if (name[i] == "cl_waiting") { waiting = $i }
      }
      if (servers > most_servers) { most_servers = servers }
      if (clients > most_clients) { most_clients = clients }
      if (waiting > most_waiting) { most_waiting = waiting }
    }
    END {
      printf "server connections %d at most, of a budget of %d, in %d samples\n", most_servers, budget, samples
      printf "client connections %d at most, of which %d waited at the same time\n", most_clients, most_waiting
      exit samples == 0 || most_servers > budget
    }' "$folder/logs/sampler.log" || exit_code=$?
  rm "$folder/logs/sampler.log"
  return "$exit_code"
}
