#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every page and heading exists that a page links to, or that the code sends a reader to: `See docs/errors.md#codes`."""
import re
import sys
from pathlib import Path

# An argument names another directory to check: the documentation that a package has installed.
ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SENT_TO = re.compile(r"\bdocs/[\w/-]+\.md(?:#[\w-]+)?")
SPLIT_LITERAL = re.compile(r'"\s*\\?\s*\n\s*"')  # a string that the compiler joins


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, punctuation dropped, spaces to hyphens."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def problem(target: str, base: Path) -> str | None:
    name, _, anchor = target.partition("#")
    page = base / name if name else base
    if not page.exists():
        return f"{target}: there is no such file"
    if anchor and anchor not in anchors(page):
        return f"{target}: the page has no such heading"
    return None


def targets():
    """Each file, what it points to, and what that is relative to."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]:
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            if "://" not in target:
                yield page, target, page if target.startswith("#") else page.parent
    for folder in ("include", "src"):
        for source in (ROOT / folder).rglob("*.?pp"):
            for target in SENT_TO.findall(SPLIT_LITERAL.sub("", source.read_text())):
                yield source, target, ROOT


problems = [f"{file.relative_to(ROOT)}: {what}" for file, target, base in targets() if (what := problem(target, base))]
print("\n".join(problems) or "every link leads somewhere")
sys.exit(bool(problems))
