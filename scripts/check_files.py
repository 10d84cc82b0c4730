#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no file of src/ and include/ is longer than 400 lines, and no line in them wider than 120 columns."""
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
MOST_LINES = 400
MOST_COLUMNS = 120

problems = []
for folder in ("src", "include"):
    for path in sorted((ROOT / folder).rglob("*.?pp")):
        name = path.relative_to(ROOT)
        lines = path.read_text().splitlines()
        if len(lines) > MOST_LINES:
            problems.append(f"{name}:{MOST_LINES + 1}: the file has {len(lines)} lines; {MOST_LINES} are allowed: split it by job")
        for number, line in enumerate(lines, 1):
            if len(line) > MOST_COLUMNS:
                problems.append(f"{name}:{number}: the line has {len(line)} columns; {MOST_COLUMNS} are allowed")

print("\n".join(problems) or f"no file is longer than {MOST_LINES} lines, no line wider than {MOST_COLUMNS} columns")
sys.exit(bool(problems))
