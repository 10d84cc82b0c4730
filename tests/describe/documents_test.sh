#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# documents_test.sh CHECK PROGRAM DIRECTORY: has PROGRAM write documents, pages and bodies into DIRECTORY, and checks them with CHECK.mjs.
set -eu
node=${FRESHET_TOOLS:-}/node_modules/node/bin/node
if [ ! -x "$node" ]; then
    echo "skipped: there is no Node.js with what $1 needs; install it with scripts/get_tools.sh DIRECTORY, and set FRESHET_TOOLS=DIRECTORY"
    exit 77
fi
rm -rf "$3"
"$2" "$3"
exec "$node" "$(dirname "$0")/$1.mjs" "$3"
