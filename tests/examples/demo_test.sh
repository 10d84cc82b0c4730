#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: demo_test.sh SOURCE_DIR BUILD_DIR
# The demo shows both sides, fails when the client does, and leaves nothing behind.
set -euo pipefail

demo=$1/scripts/demo.sh
build=$2
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
fail() { echo "$*"; exit 1; }

output=$("$demo" "$build" 2>&1) || fail "exit code $?: $output"
printf '%s\n' "$output"
for line in 'service | .*billing b2 in asia' 'service | .*stopping on signal 15' 'client  | 5 of 5 invoices are right'; do
    grep -q "^$line" <<<"$output" || fail "the demo did not print: $line"
done
[[ -z $(ls "$TMPDIR") ]] || fail "left behind: $(ls "$TMPDIR")"

mkdir -p "$TMPDIR/other/examples/billing"
ln -s "$(realpath "$build")/examples/billing/billing" "$TMPDIR/other/examples/billing/billing"
printf '#!/bin/sh\necho "wrong total"\nexit 3\n' >"$TMPDIR/other/examples/billing/billing_client"
chmod +x "$TMPDIR/other/examples/billing/billing_client"
code=0
output=$("$demo" "$TMPDIR/other" 2>&1) || code=$?
[[ $code == 3 && $output == *'client  | wrong total'* ]] || fail "a client that fails gave exit code $code: $output"
