#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that scripts/check_layers.py finds each mistake planted in a copy of the sources, with its file and line."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PLANTED = [
    ("src/base/quoted.cpp", '#include "link/link.hpp"', "base includes link/link.hpp, which is in link"),
    ("src/link/link.cpp", "#include <freshet/detail/layer.hpp>",
     "link includes freshet/detail/layer.hpp, which is in delivery"),
    ("include/freshet/text.hpp", "#include <freshet/broker.hpp>",
     "base includes freshet/broker.hpp, which is in broker"),
    ("src/middleware/rate_limit.cpp", '#include "broker/broker_core.hpp"',
     "which is only for: broker, "),
    ("src/nats/url.cpp", '#include "../base/quoted.hpp"', "../base/quoted.hpp does not exist"),
    ("src/codec/codec.cpp", "#include <freshet/freshet.hpp>", "freshet/freshet.hpp is for users"),
    ("src/base/quoted.hpp", "namespace freshet::detail { class Link; }",
     "base declares freshet::detail::Link, a type of link"),
    ("src/link/stream_ack.hpp", "namespace freshet { class Broker; }",
     "link declares freshet::Broker, a type of broker"),
    ("src/stray.cpp", "", "it is in no room"),
    ("src/attic/old.cpp", "", "it is in no room"),
    ("include/freshet/stray.hpp", "", "it is in no room"),
]


def run(root: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, ROOT / "scripts/check_layers.py", root], capture_output=True, text=True)


failures = []
with tempfile.TemporaryDirectory() as directory:
    copy = Path(directory)
    for folder in ("src", "include", "docs", "tests", "scripts"):
        shutil.copytree(ROOT / folder, copy / folder)
    if (clean := run(copy)).returncode != 0:
        failures.append(f"the copy as it is:\n{clean.stdout}{clean.stderr}")
    for name, include, expected in PLANTED:
        path = copy / name
        path.parent.mkdir(exist_ok=True)
        before = path.read_text() if path.exists() else None
        path.write_text((before or "") + include + "\n")
        line = 1 if before is None else before.count("\n") + 1
        result = run(copy)
        if result.returncode != 1 or not any(
                found.startswith(f"{name}:{line}: ") and expected in found for found in result.stdout.splitlines()):
            failures.append(f"{name}:{line}: {include or 'a new file'}\n  expected: {expected}\n"
                            f"  seen: {result.stdout}{result.stderr}")
        if before is None:
            path.unlink()
        else:
            path.write_text(before)

print("\n".join(failures) or f"all {len(PLANTED)} mistakes are found")
sys.exit(bool(failures))
