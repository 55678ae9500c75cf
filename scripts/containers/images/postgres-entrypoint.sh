#!/bin/sh
# As the official image does: makes the database at the first start, with the user and the password of the environment, and listens on all
# addresses. As Supabase's, it writes WAL for logical replication, and `postgres` is an administrator if it is not the superuser.
set -eu
superuser=${POSTGRES_USER:-$DEFAULT_SUPERUSER}
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chown postgres "$PGDATA"
  chmod 700 "$PGDATA"
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  chmod 600 /tmp/password
  as_postgres /usr/local/pgsql/bin/initdb --pgdata="$PGDATA" --username="$superuser" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  if [ "$superuser" != postgres ] && [ -z "${POSTGRES_USER:-}" ]; then
    echo 'create role postgres login createrole createdb replication bypassrls;' | as_postgres /usr/local/pgsql/bin/postgres --single -D "$PGDATA" postgres > /dev/null
  fi
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups /usr/local/pgsql/bin/postgres -D "$PGDATA" \
  -c "listen_addresses=*" -c unix_socket_directories=/tmp -c wal_level=logical -c max_connections=200
