#!/bin/sh
# Whether the database takes connections; where DB_HOST names another one, there is nothing here to be unhealthy.
# Over TCP: the server that prepares a new volume listens on its socket only, and is no database yet.
set -eu

[ "${DB_HOST:-db}" = db ] || exit 0
exec pg_isready --quiet --host 127.0.0.1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"
