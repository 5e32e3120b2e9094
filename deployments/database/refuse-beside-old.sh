#!/bin/sh
# refuse-beside-old.sh OLD NEW: fails while the volume OLD of the older compose file holds a database and NEW none yet.
# Otherwise PostgreSQL would make an empty one, everything would look healthy, and nobody could sign in.
set -eu

case "${DB_HOST:-db}" in
    db) ;;
    *) exit 0 ;; # the database is elsewhere, and neither volume is used
esac

if [ "${START_EMPTY:-no}" = yes ] || [ ! -f "$1/PG_VERSION" ]; then
    exit 0
fi
for cluster in "$2"/*/docker/PG_VERSION; do
    [ ! -f "$cluster" ] || exit 0
done

echo "Nothing was started: the volume $OLD_DATABASE_VOLUME holds a database of PostgreSQL $(cat "$1/PG_VERSION"), and" \
    "the volume of this release is still empty. Carry it over as docs/UPGRADING.md says under \"Docker compose\"," \
    "or set START_EMPTY=yes to begin with an empty one." >&2
exit 1
