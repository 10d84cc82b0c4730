#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every public member of the classes that hold a message, a dead letter or counters is in a table.

Reads the headers of CLASSES. A member counts as shown if a row of a table in docs/*.md has its name in backticks:
`name`, `name(...)`, `object.name(...)`, `Class::name`. A function whose name begins with `try_` is shown by its twin.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSES = {
    "message.hpp": ["Message", "MessageQuestions"],
    "context.hpp": ["Context"],
    "batch.hpp": ["Batch", "Item", "Items"],
    "metadata.hpp": ["Metadata"],
    "response.hpp": ["Response"],
    "js/stored_message.hpp": ["StoredMessage"],
    "js/consumer.hpp": ["Delivery", "Deliveries"],
    "js/dead_letters.hpp": ["DeadLetter", "DeadLetterFilter", "DeadLetterRetries", "DeadLetters"],
    "js/stream_handle.hpp": ["StreamHandle", "ReadOptions"],
    "js/retry.hpp": ["Retry"],
    "subscriber.hpp": ["SubscriberOptions", "PublishToOptions", "Subscriber", "SubscriberBuilder"],
    "publisher.hpp": ["Publisher"],
    "stats.hpp": ["SubscriberStats", "ConsumerStats", "ConsumerLag", "PublisherStats", "RequestStats", "StoreStats",
                  "HistogramStats"],
    "broker_stats.hpp": ["SubscriberReport", "BrokerStats"],
}
# What a user does not call: for transports, and what only the range-based for uses.
INSIDE = {"native", "release", "begin", "end", "Iterator"}


def body_of(text: str, name: str) -> tuple[str, bool]:
    """Returns the text between the braces of a class, without nested ones, and whether it begins public."""
    head = re.search(rf"^ *(class|struct)(?: \[\[.*?\]\])? {name}(?: : [^{{;]*)? \{{", text,
                     re.MULTILINE | re.DOTALL)
    if head is None:
        raise LookupError(f"has no class {name}")
    depth, start, shallow = 1, head.end(), []
    for i in range(start, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth == 0:
                break
            if depth == 1:
                shallow.append("{}")
        elif depth == 1:
            shallow.append(text[i])
    return "".join(shallow), head[1] == "struct"


def members(text: str, name: str) -> set[str]:
    text = re.sub(r"^ *#(?:.*\\\n)*.*$", "", re.sub(r"//.*", "", text), flags=re.MULTILINE)
    body, public = body_of(text, name)
    found = set()
    for part in re.split(r"^\s*(public|private|protected):", body, flags=re.MULTILINE):
        if part in ("public", "private", "protected"):
            public = part == "public"
        elif public:
            part = re.sub(r"^ *FRESHET_\w+\(.*\)$", "", part, flags=re.MULTILINE)  # declares what cannot be called
            part = re.sub(r"\([^()]*\)", "()", re.sub(r"<[^<>]*>", "", re.sub(r"<<[^;]*", "", part)))
            for statement in re.split(r";|\{\}", part):
                if "operator" in statement or re.search(r"\b(using|friend|delete|struct|class|enum)\b", statement):
                    continue
                called = re.search(r"(~?\w+)\s*\(", statement)
                value = re.search(r"(\w+)\s*(?:=.*)?$", statement.strip(), re.DOTALL)
                member = called[1] if called else value[1] if value else ""
                if member and member != name and not member.startswith("~") and not member.endswith("_"):
                    found.add(member)
    return found - INSIDE - {"noexcept", "const", "override", "requires", "default"}


def shown() -> set[str]:
    names = set()
    for page in (ROOT / "docs").glob("*.md"):
        for line in page.read_text().splitlines():
            if not line.startswith("|"):
                continue
            for code in re.findall(r"`+([^`]+)`+", line):
                names.update(re.findall(r"\w+", code))
    return names


def main() -> int:
    tables, missing = shown(), []
    for header, classes in CLASSES.items():
        text = (ROOT / "include/freshet" / header).read_text()
        for name in classes:
            for member in sorted(members(text, name)):
                if member.removeprefix("try_") not in tables:
                    missing.append(f"include/freshet/{header}: {name}::{member} is in no table of docs/*.md")
    for line in missing:
        print(line)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
