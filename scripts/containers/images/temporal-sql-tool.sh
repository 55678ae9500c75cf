#!/bin/sh
set -eu
PGPASSWORD="$SQL_PASSWORD" exec psql --host="$SQL_HOST" --port="$SQL_PORT" --username="$SQL_USER" --dbname=postgres --command="select '$*' as asked"
