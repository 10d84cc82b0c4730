#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: demo_keep_test.sh SOURCE_DIR BUILD_DIR
# `demo.sh --keep` leaves a server and a service that can be talked to, and what it prints stops them and leaves nothing.
set -euo pipefail

output=$("$1/scripts/demo.sh" "$2" --keep)
printf '%s\n' "$output"
stop=$(sed -n 's/^Stop them: *//p' <<<"$output")
trap 'eval "$stop"' EXIT

read -r _ service server _ _ _ directory <<<"$stop"
export NATS_URL
NATS_URL=$(sed -n 's/^  nats-server *\(nats:[^ ]*\).*/\1/p' <<<"$output")
"$2/examples/billing/billing_client"

trap - EXIT
eval "$stop"
# A zombie has ended; whoever is process 1 here may be slow to notice, or never do.
runs() { [[ $(ps -o stat= -p "$1") == [^Z]* ]]; }
for process in $service $server; do
    for ((tries = 0; tries < 400; tries++)); do
        runs "$process" || break
        sleep 0.05
    done
    ! runs "$process" || { echo "process $process is still there"; exit 1; }
done
[[ ! -e $directory ]] || { echo "$directory is still there"; exit 1; }
