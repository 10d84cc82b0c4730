#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the `nats` command line tool into the directory $1, from the module proxy that go is set to; it takes some minutes. If it
# cannot be installed, a line says why, and the tests that need it are skipped. Does nothing if it is there.
set -euo pipefail

version=v0.5.1
directory=$1

say() { printf 'nats-cli: %s\n' "$*" >&2; }

[[ ! -e $directory/.done || $(<"$directory/.done") != "$version" ]] || exit 0
command -v go >/dev/null || { say "no nats command: go is not installed"; exit 0; }
mkdir -p "$directory"
directory=$(cd "$directory" && pwd -P)
say "building the nats command $version, some minutes (log: $directory/install.log)"
if CGO_ENABLED=0 GOBIN=$directory go install -p 1 "github.com/nats-io/natscli/nats@$version" >"$directory/install.log" 2>&1; then
    echo "$version" >"$directory/.done"
else
    say "no nats command: building it failed: $(tail -n 1 "$directory/install.log")"
fi
