#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: scripts/demo.sh BUILD_DIR [--keep]
# Runs examples/billing for real: a nats-server, the service and its client, each a process of its own. The exit code is the
# client's, which checks what came back, unless the service does not stop cleanly. --keep leaves server and service running.
set -euo pipefail

programs=$1/examples/billing
keep=${2:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/freshet-demo.XXXXXX")
server= service= client= viewers=()

die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Starts "$@" with its output in $work/NAME.log. In sessions of their own: Ctrl-C stops this script, which stops them in
# order; --keep can leave them behind.
launch() {
    local name=$1
    shift
    setsid "$@" >"$work/$name.log" 2>&1 </dev/null &
}

# Shows the lines of $1's log until the process $2 ends.
follow() {
    { tail --pid="$2" --sleep-interval=0.1 --lines=+1 --follow "$work/$1.log" | sed -u "s/^/$(printf %-7s "$1") | /"; } &
    viewers+=($!)
}

# Waits until the file $1 has a line that matches $2, while the process $3 runs.
wait_for() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        ! grep -qs -- "$2" "$1" || return 0
        kill -0 "$3" 2>/dev/null || break
        sleep 0.05
    done
    cat "$work/$4.log" >&2
    die "the $4 did not start"
}

# Ends the process $1 and gives its exit code.
stop() { kill -TERM "$1" 2>/dev/null; wait "$1"; }

cleanup() {
    local status=$?
    trap - EXIT INT TERM
    [[ -z $client ]] || kill "$client" 2>/dev/null || true
    if [[ -n $service ]]; then
        stop "$service" || { status=$?; printf 'demo: the service ended with exit code %s\n' $status >&2; }
    fi
    wait "${viewers[@]}"
    [[ -z $server ]] || stop "$server" || true
    rm -rf "$work"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

touch "$work"/{server,service,client}.log
launch server nats-server --addr 127.0.0.1 --port -1 --ports_file_dir "$work" --jetstream --store_dir "$work/store"
server=$!
wait_for "$work/nats-server_$server.ports" '"nats"' "$server" server
url=$(grep -o 'nats://[^"]*' "$work/nats-server_$server.ports" | head -n 1)
export NATS_URL=$url

launch service "$programs/billing"
service=$!
follow service "$([[ $keep == --keep ]] && echo $$ || echo "$service")"
wait_for "$work/service.log" 'subscribers\? runs\? on' "$service" service

launch client "$programs/billing_client"
client=$!
follow client "$client"
status=0
wait "$client" || status=$?
wait "${viewers[-1]}"

[[ $keep == --keep && $status == 0 ]] || exit $status
trap - EXIT
cat <<TEXT

Still running, with logs in $work:
  nats-server   $url (process $server)
  the service   $programs/billing (process $service)
Ask again:      NATS_URL=$url ./dev run $programs/billing_client
With the nats CLI:
                nats --server $url subscribe 'invoices.>'
                nats --server $url publish orders.eu.created '{"id": "a1", "amount": 10}'
                nats --server $url request orders.eu.created '{"id": "a1", "amount": 10}'
Stop them:      kill $service $server && rm -r $work
TEXT
