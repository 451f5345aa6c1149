# PostgreSQL, PgBouncer and nginx. Sourced by run.sh.

start_postgres() {
  printf '%s' "$password" >"$folder/postgres/password"
  hand_over "$folder/postgres"
  "${as_server[@]}" initdb -D "$folder/postgres/data" -U orders --pwfile="$folder/postgres/password" -A scram-sha-256 \
    -E UTF8 --locale=C --no-sync --no-instructions >"$folder/logs/initdb.log" 2>&1
  rm "$folder/logs/initdb.log"
  start postgres "${as_server[@]}" postgres -D "$folder/postgres/data" -k '' -h 127.0.0.1 -p "${ports[postgres]}" -F
  await 30 query postgres 'select' postgres >/dev/null
  query postgres 'create database orders' postgres >/dev/null
}

start_pgbouncer() {
  printf '"orders" "%s"\n' "$password" >"$folder/pgbouncer/users.txt"
  cat "$sample/stack/pgbouncer.ini" - >"$folder/pgbouncer/pgbouncer.ini" <<END

listen_addr = 127.0.0.1
listen_port = ${ports[pgbouncer]}
unix_socket_dir =
auth_file = $folder/pgbouncer/users.txt
admin_users = orders
log_connections = 0
log_disconnections = 0

[databases]
orders = host=127.0.0.1 port=${ports[postgres]}
END
  hand_over "$folder/pgbouncer"
  start pgbouncer "${as_server[@]}" pgbouncer "$folder/pgbouncer/pgbouncer.ini"
  await 30 query pgbouncer 'show version' pgbouncer >/dev/null
}

start_nginx() {
  sed -e "s|@FOLDER@|$folder|g" -e "s|@PORT@|$port|g" -e "s|@PORT_ONE@|${ports[one]}|g" -e "s|@PORT_TWO@|${ports[two]}|g" \
    "$sample/stack/nginx.conf" >"$folder/nginx/nginx.conf"
  hand_over "$folder/nginx"
  start nginx "${as_server[@]}" nginx -e stderr -p "$folder/nginx" -c "$folder/nginx/nginx.conf"
  await 30 answers "$port"
}

# query SERVER SQL DATABASE
query() {
  PGPASSWORD=$password psql -X -q -A -t -h 127.0.0.1 -p "${ports[$1]}" -U orders -d "$3" -c "$2" 2>/dev/null
}

answers() {
  curl -sf -o /dev/null --max-time 1 "http://127.0.0.1:$1/health/ready"
}

connection_string() {
  echo "Host=127.0.0.1;Port=${ports[$1]};Username=orders;Password=$password;Database=orders"
}
