#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: scripts/demo.sh BUILD_DIR [--keep]
# Runs examples/billing for real: a nats-server, the service and its client, each a process of its own. The exit code is that
# of the client, which checks what came back, or of a service that does not stop cleanly. --keep leaves server and service running.
set -euo pipefail

die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

[[ $# == 1 || ($# == 2 && $2 == --keep) ]] || die "usage: scripts/demo.sh BUILD_DIR [--keep]"
programs=$1/examples/billing
keep=${2:-}
[[ -x $programs/billing && -x $programs/billing_client ]] || die "$programs has no programs; build the targets billing and billing_client"
PATH=$PATH:/usr/sbin # where Debian has nats-server
nats_server=$(command -v "${NATS_SERVER:-nats-server}") || die "there is no nats-server; install it, or set NATS_SERVER to its path"
unset "${!NATS_@}" # whatever server and credentials the user has, this is about another one

work=$(mktemp -d "${TMPDIR:-/tmp}/freshet-demo.XXXXXX")
server='' service='' client='' views=()

# Starts "${@:2}", which writes to $work/$1.log. In a session of its own: Ctrl-C stops this script, which then stops all in
# order, and --keep can leave it behind.
launch() { setsid "${@:2}" >"$work/$1.log" 2>&1 </dev/null & }

# Shows what the process $2 writes to $work/$1.log until it ends, each line with $1 in front.
show() {
    mkfifo "$work/$1.view"
    sed -u "s/^/$(printf %-7s "$1") | /" <"$work/$1.view" &
    local formatter=$!
    tail --pid="$2" --sleep-interval=0.1 --lines=+1 --follow "$work/$1.log" >"$work/$1.view" &
    views+=("$!" "$formatter")
}

# Waits until the file $3 has a line that matches $4, while $1 runs as the process $2.
wait_for() {
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        ! grep -qs -- "$4" "$3" || return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.05
    done
    cat "$work/$1.log" >&2
    die "the $1 did not start"
}

# Ends the process $1 and gives its exit code.
stop() { kill -TERM "$1" 2>/dev/null || true; wait "$1"; }

cleanup() {
    local status=$?
    trap '' INT TERM
    [[ -z $client ]] || stop "$client" || true
    if [[ -n $service ]] && ! stop "$service" && [[ $status == 0 ]]; then
        printf 'demo: the service did not stop cleanly\n' >&2
        status=1
    fi
    [[ -z ${views[*]} ]] || wait "${views[@]}" || true
    [[ -z $server ]] || stop "$server" || true
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

launch nats-server "$nats_server" --addr 127.0.0.1 --port -1 --ports_file_dir "$work" --jetstream --store_dir "$work/store"
server=$!
ports=$work/$(basename "$nats_server")_$server.ports
wait_for nats-server "$server" "$ports" '"nats"'
NATS_URL=$(grep -o 'nats://[^"]*' "$ports" | head -n 1)
export NATS_URL

launch service "$programs/billing"
service=$!
show service "$service"
wait_for service "$service" "$work/service.log" 'ready: '

launch client "$programs/billing_client"
client=$!
show client "$client"
status=0
wait "$client" || status=$?
client=
[[ $status == 0 && $keep == --keep ]] || exit $status

trap - EXIT
wait "${views[@]:2}"
kill "${views[0]}"
wait "${views[@]}" 2>/dev/null || true
cat <<TEXT

Still running, with logs in $work:
  nats-server   $NATS_URL (process $server)
  service       $programs/billing (process $service)
Ask again:      NATS_URL=$NATS_URL ./dev run $programs/billing_client
With nats CLI:  nats --server $NATS_URL subscribe 'invoices.>'
                nats --server $NATS_URL publish orders.eu.created '{"id": "a1", "amount": 10}'
                nats --server $NATS_URL request orders.eu.created '{"id": "a1", "amount": 10}'
Stop them:      kill $service $server && rm -rf $work
TEXT
