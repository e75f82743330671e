#!/bin/bash
# SPDX-License-Identifier: MIT
# name_server.sh foreground|daemon DIRECTORY PORT: named with a zone of its own answers queries, and is ended by
# SIGTERM. Says its answers and how it ended. DIRECTORY is new.
set -eu
mode=$1 directory=$2 port=$3
mkdir "$directory"
cat >"$directory/named.conf" <<TEXT
options {
    directory "$directory";
    pid-file "$directory/pid";
    session-keyfile "$directory/session.key";
    listen-on port $port { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    notify no;
    dnssec-validation no;
};
controls { };
zone "example" { type primary; file "zone"; };
TEXT
cat >"$directory/zone" <<'TEXT'
$TTL 300
@ IN SOA ns hostmaster 1 3600 900 86400 300
@ IN NS ns
ns IN A 127.0.0.1
www IN A 192.0.2.1
text IN TXT "a text"
TEXT

ask() {
    dig +short +tries=1 +time=5 -p "$port" @127.0.0.1 "$@"
}

options=(-c "$directory/named.conf" -n 2)
case $mode in
foreground)
    named -f "${options[@]}" &
    server=$!
    ;;
daemon)
    named "${options[@]}"
    await_pid=300
    until [ -s "$directory/pid" ] || ((await_pid-- == 0)); do sleep 0.1; done
    server=$(cat "$directory/pid")
    ;;
esac
tries=100
until ask example SOA >/dev/null 2>&1 || ((tries-- == 0)); do sleep 0.1; done
for _ in 1 2 3 4 5; do
    ask www.example A text.example TXT
    ask +tcp www.example A
done
kill -TERM "$server"
case $mode in
foreground)
    status=0
    wait "$server" || status=$?
    echo "named: $status"
    ;;
daemon)
    tail --pid="$server" -f /dev/null
    ;;
esac
