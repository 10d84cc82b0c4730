#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the code on the pages is what the tests compile and run.

A page says `<!-- snippet: FILE NAME -->` before a fence; the fence must hold what docs/snippets/FILE has between two
lines `// [NAME]` (`# [NAME]` in Python), without the common indent. A fence of C++ without such a line is an error.
With --fix the fences are rewritten from the files.
"""
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(
    r"(?:^<!-- snippet: (?P<file>\S+) (?P<name>\S+) -->\n)?^```(?P<language>\w*)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"^<!-- snippet:.*", re.MULTILINE)
MARK = re.compile(r"^\s*(?://|#) \[[\w-]+\]\n", re.MULTILINE)

problems = []
used = set()


def cut(file: str, name: str) -> str:
    """The marked lines. A snippet may lie within another one: marks are left out."""
    source = ROOT / "docs/snippets" / file
    if not source.exists():
        raise LookupError(f"docs/snippets/{file} does not exist")
    parts = re.split(rf"^\s*(?://|#) \[{re.escape(name)}\]\n", source.read_text(), flags=re.MULTILINE)
    if len(parts) != 3:
        raise LookupError(f"docs/snippets/{file} has {len(parts) - 1} lines [{name}], not 2")
    used.add((file, name))
    return textwrap.dedent(MARK.sub("", parts[1])).strip("\n") + "\n"


def check(page: Path, text: str, fence: re.Match) -> str:
    where = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, fence.start('language')) + 1}"
    if fence["file"] is None:
        if fence["language"] == "cpp":
            problems.append(f"{where}: code without a snippet: comment before it")
        return fence[0]
    try:
        body = cut(fence["file"], fence["name"])
    except LookupError as error:
        problems.append(f"{where}: {error}")
        return fence[0]
    if body == fence["body"]:
        return fence[0]
    if "--fix" not in sys.argv:
        problems.append(f"{where}: differs from [{fence['name']}] of docs/snippets/{fence['file']}; "
                        "scripts/check_snippets.py --fix copies it")
    begin = fence.start("body") - fence.start()
    return fence[0][:begin] + body + "```"


for page in sorted(ROOT.glob("docs/**/*.md")):
    text = page.read_text()
    fences = sum(1 for fence in FENCE.finditer(text) if fence["file"])
    if fences != len(COMMENT.findall(text)):
        problems.append(f"{page.relative_to(ROOT)}: a snippet: comment without a fence in the next line")
    fixed = FENCE.sub(lambda fence: check(page, text, fence), text)
    if fixed != text and "--fix" in sys.argv:
        page.write_text(fixed)

for source in sorted((ROOT / "docs/snippets").glob("*.*")):
    for name in sorted({mark.split("[")[1].split("]")[0] for mark in MARK.findall(source.read_text())}):
        if (source.name, name) not in used:
            problems.append(f"docs/snippets/{source.name}: no page shows [{name}]")

print("\n".join(problems) or "every snippet is what is compiled")
sys.exit(bool(problems))
