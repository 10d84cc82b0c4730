#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the programs of the peers into the directory $1, from the package registries that go, cargo, npm and pip are set to;
# $2 is the version of the Python that will run them. Writes $1/peers.json: {system: [command...]}. What cannot be installed is skipped
# with a line that says why; so does what is there already and has not changed.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
directory=$1
python_version=$2
mkdir -p "$directory"
directory=$(cd "$directory" && pwd -P)

say() { printf 'peers: %s\n' "$*" >&2; }

# install NAME TOOL FUNCTION: calls it in a fresh copy of NAME/, unless that was done.
install() {
    local name=$1 tool=$2 stamp
    stamp=$({ find "$source_dir/$name" -type f -print0 | sort -z | xargs -0 cat; echo "$python_version"; } | sha256sum)
    if [[ -e $directory/$name/.done && $(<"$directory/$name/.done") == "$stamp" ]]; then return; fi
    if ! command -v "$tool" >/dev/null; then say "no $name peers: $tool is not installed"; return; fi
    say "installing the $name peers (log: $directory/$name.log)"
    rm -rf "${directory:?}/$name"
    cp -r "$source_dir/$name" "$directory/$name"
    cd "$directory/$name"
    # A shell of its own: within `if`, an error would not end the function.
    if bash -euc "$(declare -f "install_$name"); install_$name \"\$1\"" -- "$python_version" >"$directory/$name.log" 2>&1; then
        echo "$stamp" >"$directory/$name/.done"
    else
        say "no $name peers: installing them failed: $(tail -n 1 "$directory/$name.log")"
    fi
}

install_go() {
    go mod tidy
    CGO_ENABLED=0 go build -o bench .
}

install_rust() {
    cargo build --release
    cp target/release/bench-async-nats target/release/bench-ruststream .
    rm -rf target
}

# A Node.js of its own, since the environment has none.
install_node() { npm install --no-audit --no-fund --no-save node . ; }

install_python() {
    pip install --quiet --target packages --python-version "$1" --only-binary=:all: --requirement requirements.txt
}

# command NAME JSON: one entry, if it is installed.
separator='{'
command_of() {
    [[ -e $directory/$1/.done ]] || return 0
    printf '%s\n  "%s": %s' "$separator" "$2" "$3"
    separator=,
}

install go go
install rust cargo
install node npm
install python pip
{
    command_of go nats.go "[\"$directory/go/bench\"]"
    command_of rust async-nats "[\"$directory/rust/bench-async-nats\"]"
    command_of rust ruststream "[\"$directory/rust/bench-ruststream\"]"
    command_of node nats.js "[\"$directory/node/node_modules/node/bin/node\", \"$directory/node/bench.mjs\"]"
    python="\"env\", \"PYTHONPATH=$directory/python/packages\", \"python3\""
    command_of python nats.py "[$python, \"$directory/python/nats_py.py\"]"
    command_of python faststream "[$python, \"$directory/python/faststream_nats.py\"]"
    [[ $separator != '{' ]] || printf '{'
    printf '\n}\n'
} >"$directory/peers.json"
