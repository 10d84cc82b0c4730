#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# documents_test.sh PROGRAM DIRECTORY: has PROGRAM write documents and bodies into DIRECTORY, and checks them.
set -eu
node=${FRESHET_TOOLS:-}/node_modules/node/bin/node
if [ ! -x "$node" ]; then
    echo "skipped: there is no AsyncAPI parser; install it with scripts/get_tools.sh DIRECTORY, and set FRESHET_TOOLS=DIRECTORY"
    exit 77
fi
rm -rf "$2"
"$1" "$2"
exec "$node" "$(dirname "$0")/check_documents.mjs" "$2"
