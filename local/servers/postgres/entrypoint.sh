#!/bin/sh
# Makes the database on the first start, then becomes the server.
#
# Uses nothing but the shell's own commands and PostgreSQL's programs: the image has no rm, mv or mkdir. That is why an
# initialisation that was killed half-way is not removed but left behind, and the next start begins in a new folder.
set -eu

data="${PGDATA:?}"
user="${POSTGRES_USER:-postgres}"
database="${POSTGRES_DB:-$user}"

fail() {
  printf 'postgres: %s\n' "$1" >&2
  exit 1
}

# A complete initialisation has a file beside its folder; the number grows with every attempt that was cut short.
attempt=1
while [ -e "$data/18-$attempt" ] && [ ! -e "$data/18-$attempt.complete" ]; do
  attempt=$((attempt + 1))
done
cluster="$data/18-$attempt"

if [ ! -e "$cluster.complete" ]; then
  [ -w "$data" ] || fail "$data cannot be written by uid 1000: mount a volume that it owns (fsGroup 1000)."
  [ -n "${POSTGRES_PASSWORD_FILE:-}" ] || fail 'POSTGRES_PASSWORD_FILE is not set: name a file that holds the password of the superuser.'
  [ -r "$POSTGRES_PASSWORD_FILE" ] || fail "POSTGRES_PASSWORD_FILE: $POSTGRES_PASSWORD_FILE cannot be read."
  case "$database$user" in
    *[!a-zA-Z0-9_]*) fail 'POSTGRES_USER and POSTGRES_DB may hold letters, digits and underscores only.' ;;
  esac
  # The builtin provider sorts the same on every machine; locales of the C library differ between its versions.
  initdb --pgdata="$cluster" --username="$user" --pwfile="$POSTGRES_PASSWORD_FILE" \
    --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 \
    --auth-local=scram-sha-256 --auth-host=scram-sha-256 --data-checksums
  printf 'host all all all scram-sha-256\n' >> "$cluster/pg_hba.conf"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE "%s" OWNER "%s";\n' "$database" "$user" | postgres --single -D "$cluster" postgres > /dev/null
  fi
  # Last: from here on the data are real.
  : > "$cluster.complete"
fi

exec postgres -D "$cluster" -c listen_addresses='*' -c unix_socket_directories=/tmp -c timezone=UTC -c log_timezone=UTC "$@"
