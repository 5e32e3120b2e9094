#!/bin/sh
# unless-external.sh PROGRAM...: runs it, unless DB_HOST names a PostgreSQL that is not this service; then waits idly, as
# compose knows no service that depends on a variable.
set -eu

case "${DB_HOST:-db}" in
    db) exec "$@" ;;
esac
echo "DB_HOST names another PostgreSQL: none is started here."
exec sleep infinity
