#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no file of src/ and include/ is longer than 400 lines, and no line wider than 120 columns.

The lines are those of C++ in src/, include/ and docs/snippets/, and all of CMake and Python. In docs/snippets/ a raw
string literal, which is what a program prints, may be wider.
"""
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
MOST_LINES = 400
MOST_COLUMNS = 120
FOLDERS = ("src", "include", "docs/snippets", "cmake", "scripts", "tests", "examples", "benchmarks")
CPP_FOLDERS = ("src/", "include/", "docs/snippets/")
RAW_STRING = re.compile(r'R"\((.*?)\)"', re.DOTALL)

problems = []


def check(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    cpp = path.suffix in (".cpp", ".hpp")
    if cpp and not name.startswith(CPP_FOLDERS):
        return
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > MOST_LINES and name.startswith(("src/", "include/")):
        problems.append(f"{name}:{MOST_LINES + 1}: the file has {len(lines)} lines; {MOST_LINES} are allowed: "
                        "split it by job")
    if name.startswith("docs/"):
        lines = RAW_STRING.sub(lambda raw: "\n" * raw[1].count("\n"), text).splitlines()
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            problems.append(f"{name}:{number}: the line has {len(line)} columns; {MOST_COLUMNS} are allowed")


files = [*ROOT.glob("CMakeLists.txt"), *ROOT.glob("*.py")]
for folder in FOLDERS:
    files += (p for p in (ROOT / folder).rglob("*") if p.suffix in (".cpp", ".hpp", ".py", ".cmake") or
              p.name == "CMakeLists.txt")
for file in sorted(files):
    check(file)

print("\n".join(problems) or f"no file is longer than {MOST_LINES} lines, no line wider than {MOST_COLUMNS} columns")
sys.exit(bool(problems))
