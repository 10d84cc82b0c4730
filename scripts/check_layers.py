#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the #include lines and forward declarations of src/ and include/ against the rooms of docs/architecture.md.

check_layers.py [ROOT]: every file lies in a room, every include and forward declaration leads into a room that the page
allows, and every file that the page names exists. Prints what is wrong as FILE:LINE and what is allowed; exits with 1.
"""
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
PAGE = "docs/architecture.md"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:src|include|tests|docs|scripts)/[^`*]+)`")
# What tells namespaces, types and scopes apart; comments and literals are skipped.
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\''
    r"|\bnamespace\s+(?P<namespace>[\w:]*)\s*\{"
    r"|\b(?:class|struct)\s+(?P<type>\w+)\s*(?:(?P<forward>;)|(?:final\s*)?(?::[^;{}]*)?(?P<body>\{))"
    r"|(?P<open>\{)|(?P<close>\})", re.MULTILINE | re.DOTALL)
UMBRELLAS = {"freshet", "jetstream", "testing"}

text = (ROOT / PAGE).read_text()
problems: list[str] = []


def table(header: str) -> list[list[str]]:
    """The rows of the table whose first cells are `header`."""
    found = re.search(rf"^\| {re.escape(header)} \|.*\n\|[-|]+\|\n((?:\|.*\|\n)*)", text, re.MULTILINE)
    if not found:
        sys.exit(f"{PAGE}: there is no table that begins with | {header} |")
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


allowed: dict[str, set[str]] = {}
for room, _, others in table("room | what lives there | may include"):
    name, may = names(room)[0], set(names(others))
    for upward in sorted(may - allowed.keys()):
        problems.append(f"{PAGE}: the room {name} may include {upward}, which does not stand above it in the table")
    allowed[name] = may
forward_allowed = {names(name)[0]: set(names(files)) for name, files, _ in table("type | declared in | because")}
only_for = {names(header)[0]: set(names(rooms)) for header, rooms in table("header | only for")}
public = {names(room)[0]: names(headers)
          for room, headers in table("room | headers in `include/freshet/`, without `.hpp`")}
for unknown in sorted(public.keys() - allowed.keys()):
    problems.append(f"{PAGE}: public headers are in the room {unknown}, which the table of rooms does not have")


def room_of_public(name: str) -> str | None:
    """Of `js/pull`, say. A header's name counts before a pattern."""
    exact = [room for room, patterns in public.items() if name in patterns]
    fitting = exact or [room for room, patterns in public.items()
                        if any(fnmatch(name, p) for p in patterns if "*" in p)]
    if len(fitting) > 1:
        problems.append(f"{PAGE}: the public header {name} is in several rooms: {', '.join(fitting)}")
    return fitting[0] if fitting else None


def room_of(path: str) -> str | None:
    if path.startswith("include/freshet/"):
        return room_of_public(path.removeprefix("include/freshet/").removesuffix(".hpp"))
    room = path.removeprefix("src/").rpartition("/")[0]
    return room if room in allowed else None


def check_include(where: str, room: str, kind: str, target: str) -> None:
    if kind == "<" and target.startswith("freshet/"):
        path = "include/" + target
        if target.removeprefix("freshet/").removesuffix(".hpp") in UMBRELLAS:
            problems.append(f"{where}: {target} is for users; include what is needed of it")
            return
    elif kind == '"':
        path = "src/" + target
    else:
        return  # the standard library, other libraries
    if not (ROOT / path).exists():
        problems.append(f"{where}: {target} does not exist; private headers are included from src/: "
                        "\"base/quoted.hpp\"")
        return
    other = room_of(path)
    if other is None:
        return  # told of the file itself
    if other != room and other not in allowed[room]:
        may = ", ".join(name for name in allowed if name in allowed[room]) or "nothing"
        problems.append(f"{where}: {room} includes {target}, which is in {other}; {room} may include: {may}")
    if target in only_for and room not in only_for[target]:
        problems.append(f"{where}: {room} includes {target}, which is only for: {', '.join(sorted(only_for[target]))}")


def types_of(content: str) -> list[tuple[str, int, bool]]:
    """The types at namespace scope: the full name, the line, and whether it is only declared."""
    found: list[tuple[str, int, bool]] = []
    scopes: list[str | None] = []  # None: a type or a function
    for token in TOKEN.finditer(content):
        if token["namespace"] is not None:
            scopes.append(token["namespace"])
        elif token["type"]:
            if None not in scopes:
                name = "::".join([*filter(None, scopes), token["type"]])
                found.append((name, content.count("\n", 0, token.start("type")) + 1, bool(token["forward"])))
            if token["body"]:
                scopes.append(None)
        elif token["open"]:
            scopes.append(None)
        elif token["close"] and scopes:
            scopes.pop()
    return found


declared: list[tuple[str, str, str, int]] = []  # room, file, type, line
defined: dict[str, str] = {}                    # the room of each type
for path in sorted(p for folder in ("src", "include") for p in (ROOT / folder).rglob("*.?pp")):
    name = path.relative_to(ROOT).as_posix()
    if name.startswith("include/freshet/") and path.stem in UMBRELLAS and path.parent.name == "freshet":
        continue
    room = room_of(name)
    if room is None:
        problems.append(f"{name}:1: it is in no room; {PAGE} lists them")
        continue
    content = path.read_text()
    for include in INCLUDE.finditer(content):
        line = content.count("\n", 0, include.start(1)) + 1
        check_include(f"{name}:{line}", room, include[1], include[2])
    for kind, line, forward in types_of(content):
        if forward:
            declared.append((room, name, kind, line))
        else:
            defined[kind] = room

for room, name, kind, line in declared:
    other = defined.get(kind, room)
    if other == room or other in allowed[room] or name in forward_allowed.get(kind.removeprefix("freshet::"), ()):
        continue
    problems.append(f"{name}:{line}: {room} declares {kind}, a type of {other}, which does not stand above {room}; "
                    f"see \"declared in\" in {PAGE}")

for named in sorted({file for file in NAMED_FILE.findall(text)}):
    if not (ROOT / named).exists():
        problems.append(f"{PAGE}: it names {named}, which does not exist")

print("\n".join(problems) or f"every include is one that {PAGE} allows")
sys.exit(bool(problems))
