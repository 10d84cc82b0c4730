#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the official parser of AsyncAPI, and a Node.js to run it, into the directory $1, from the registry that npm is set to.
# What cannot be installed is skipped with a line that says why; the tests that need it are skipped, too. Does nothing if it is there.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/tools
directory=$1
stamp=$(sha256sum <"$source_dir/package.json")
[[ ! -e $directory/.done || $(<"$directory/.done") != "$stamp" ]] || exit 0

say() { printf 'tools: %s\n' "$*" >&2; }

command -v npm >/dev/null || { say "no AsyncAPI parser: npm is not installed"; exit 0; }
say "installing the AsyncAPI parser (log: $directory.log)"
rm -rf "$directory.part"
mkdir -p "$directory.part"
cp "$source_dir/package.json" "$directory.part"
if (cd "$directory.part" && npm install --no-audit --no-fund --no-save) >"$directory.log" 2>&1; then
    echo "$stamp" >"$directory.part/.done"
    rm -rf "$directory"
    mv -T "$directory.part" "$directory"
else
    say "no AsyncAPI parser: installing it failed: $(tail -n 1 "$directory.log")"
fi
