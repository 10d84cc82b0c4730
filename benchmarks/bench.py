#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures freshet beside plain cnats and others, in one run and in turns, against a nats-server of its own.

A figure of one run says little on a shared machine, a ratio of two that ran right after each other more: each round
runs the systems in turns (A B, then B A), and the table shows the medians, and the median, least and greatest ratio of
the rounds.
Latencies count from when a message was due, not from when it was sent: a system that falls behind shows it.
"""
import argparse
import dataclasses
import json
import pathlib
import sys

import cases
from measure import Measurement
from programs import Programs, Server

COLUMNS = (("rate", 12, 0), ("cpu_us", 9, 2), ("p50_us", 9, 0), ("p99_us", 9, 0), ("p999_us", 9, 0), ("rss_mb", 8, 0),
           ("threads", 9, 0))
# Of a row in --json; p99.9 is on the screen only.
KEYS = ("case", "size", "lane", "system", "rate", "p50_us", "p99_us", "cpu_us", "rss_mb", "threads", "ratio")


def print_header():
    titles = "".join(f"{title:>{width}}" for title, (_, width, _) in
                     zip(("rate/s", "cpu us", "p50 us", "p99 us", "p99.9 us", "rss MB", "threads"), COLUMNS))
    print(f"{'case':18}{'lane':>9}{'size':>9}  {'system':11}{titles}  ratio of rates (least to greatest)")


def print_row(row):
    figures = "".join(f"{'-' if row[name] is None else f'{row[name]:,.{digits}f}':>{width}}"
                      for name, width, digits in COLUMNS)
    ratio = row["ratio"]
    compared = f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})" if ratio else ""
    print(f"{row['case']:18}{row['lane']:>9}{row['size']:>9}  {row['system']:11}{figures}  {compared}", flush=True)


def available(name, case, commands):
    """The case with the systems that can run here. Says which cannot."""
    usable = {system: how for system, how in case.systems.items()
              if how.family in ("freshet", "cnats", *commands) and how.environment.get("LD_PRELOAD") != ""}
    for system in case.systems.keys() - usable.keys():
        print(f"{name}: {system} is skipped, since it is not installed")
    return dataclasses.replace(case, systems=usable)


def choose(parser, wanted):
    """The cases of the names, where a group's name is all of its cases."""
    every = {name: case for group in cases.GROUPS.values() for name, case in group.items()}
    chosen = {}
    for name in wanted:
        if name not in cases.GROUPS and name not in every:
            parser.error(f"no such case or group: {name}; see --list")
        chosen |= cases.GROUPS[name] if name in cases.GROUPS else {name: every[name]}
    return chosen


def print_list():
    for group, members in cases.GROUPS.items():
        print(f"{group}:")
        for name, case in members.items():
            variants = ", ".join(f"{lane} {size} B" for lane, size in case.variants)
            print(f"  {name:18} {variants}; {', '.join(case.systems)}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="cases or groups of them; default: plain")
    parser.add_argument("--list", action="store_true", help="the groups and their cases, and nothing else")
    parser.add_argument("--quick", action="store_true", help="under two minutes: fewer messages, two rounds, one size")
    parser.add_argument("--rounds", type=int, help="default: 5, with --quick 2")
    parser.add_argument("--scale", type=float, help="of the number of messages; default: 1, with --quick 0.2")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("build/release/benchmarks"))
    arguments = parser.parse_args()
    if arguments.list:
        print_list()
        return 0
    chosen = choose(parser, arguments.cases or ["plain"])
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    scale = arguments.scale or (0.2 if arguments.quick else 1)
    commands = cases.peer_commands()
    programs = Programs(arguments.programs, commands)
    rows = []
    print_header()
    with Server() as server:
        for name, case in chosen.items():
            case = available(name, case, commands)
            for lane, size in case.variants[:1] if arguments.quick else case.variants:
                measurement = Measurement(programs, server.url, name, case, lane, size, scale)
                for row in measurement.rows(rounds):
                    print_row(row)
                    rows.append(row)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps([{key: row[key] for key in KEYS} for row in rows], indent=2) + "\n")
    failed = [f"{row['case']} {row['system']}" for row in rows if row["rate"] is None]
    if failed:
        print(f"no result: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
