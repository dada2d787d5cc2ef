#!/bin/sh
# Makes the passwords of compose.yaml in secrets/, beside this file, once. The
# key-encryption key is not made here: see README.md.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
	echo "secrets/ is there already" >&2
	exit 1
fi
umask 077
making=$(mktemp -d ./secrets.XXXXXX)
trap 'rm -rf "$making"' EXIT

# Letters and digits only: some stand in URLs.
word() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

postgres=$(word) admin=$(word) ops=$(word)
printf '%s' "$postgres" >"$making/postgres_password"
printf 'postgres:5432:alur:alur:%s\n' "$postgres" >"$making/pgpass"
printf 'EVENTSTORE_DEFAULT_ADMIN_PASSWORD=%s\nEVENTSTORE_DEFAULT_OPS_PASSWORD=%s\n' "$admin" "$ops" >"$making/eventstore.env"
printf 'NATS_TOKEN=%s\n' "$(word)" >"$making/nats.env"
{
	printf 'ALUR_API_TOKEN=%s\n' "$(word)"
	printf 'ALUR_LOG=esdb+discover://admin:%s@eventstore:2113?tls=true&tlsCaFile=/trust/ca.crt\n' "$admin"
} >"$making/alur.env"
mv "$making" secrets
trap - EXIT
