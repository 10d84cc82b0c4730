#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures freshet beside plain cnats, in one run and in turns, against a nats-server of its own.

./dev bench [CASE...] [--list] [--quick] [--rounds N] [--json FILE]

A figure of one run says little on a shared machine, a ratio of two that ran right after each other more: each round runs the
systems in turns (A B, then B A), and the table shows the medians, and the median, least and greatest ratio of the rounds.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SYSTEMS = ("freshet", "cnats")
BYTES = [("bytes", 16), ("bytes", 128), ("bytes", 1024)]
ORDERS = [("nlohmann", 179), ("glaze", 179)]


class Case:
    """Programs to run for one figure, and how many messages."""

    def __init__(self, program, count, variants, service=None, generator=None, **words):
        self.program, self.count, self.variants = program, count, variants
        self.service, self.generator, self.words = service, generator, words


CASES = {
    "publish": Case("publish", 2_000_000, BYTES),
    "deliver": Case("deliver", 1_000_000, BYTES + ORDERS, generator="publish"),
    "queue_100": Case("deliver", 500_000, [("bytes", 128)], generator="publish", subscribers=100),
    "queue_1000": Case("deliver", 300_000, [("bytes", 128)], generator="publish", subscribers=1000),
    "rpc_1": Case("rpc", 10_000, BYTES, service="rpc_service"),
    "rpc_64": Case("rpc", 200_000, BYTES, service="rpc_service", outstanding=64),
    "rpc_512": Case("rpc", 400_000, [("bytes", 128)], service="rpc_service", outstanding=512),
}
CASES |= {
    "js_publish": Case("js_publish", 300_000, BYTES, outstanding=4096),
    "js_pull": Case("js_pull", 200_000, BYTES),
    "kv_1": Case("kv", 10_000, [("put", 128), ("get", 128)]),
    "kv_64": Case("kv", 100_000, [("put", 128), ("get", 128)], outstanding=64),
}
SLOWER = {("cnats", "rpc_64"): 5, ("cnats", "rpc_512"): 10, ("cnats", "queue_1000"): 3,
          ("cnats", "kv_64"): 3}  # fewer messages, for the time


class Server:
    """A nats-server on a free loopback port."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="freshet-bench.")
        for _ in range(10):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.url = f"nats://127.0.0.1:{port}"
            log = pathlib.Path(self.directory.name) / "log"
            self.process = subprocess.Popen(
                [os.environ.get("NATS_SERVER", "nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd",
                 self.directory.name, "-l", str(log)])
            for _ in range(200):
                if log.exists() and "Server is ready" in log.read_text():
                    return self
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        sys.exit("nats-server does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()


class Program:
    """A benchmark program that has said it is ready."""

    def __init__(self, directory, system, name, url, words):
        path = directory / f"bench_{system}_{name}"
        arguments = [f"{key}={value}" for key, value in words.items()]
        self.process = subprocess.Popen([path, f"url={url}", *arguments], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        while line and line != "ready\n":  # log lines
            line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{path.name} ended with {self.process.wait()} before it was ready")

    def result(self, timeout):
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return None
        results = [line for line in output.splitlines() if line.startswith("{")]
        return json.loads(results[-1]) if self.process.returncode == 0 and results else None

    def kill(self):
        self.process.kill()
        self.process.communicate()


def run_once(directory, url, system, name, lane, size, scale):
    case = CASES[name]
    count = max(int(case.count * scale) // SLOWER.get((system, name), 1), 1_000)
    words = {"lane": lane, "size": size, "count": count, **case.words}
    service = Program(directory, system, case.service, url, {}) if case.service else None
    try:
        program = Program(directory, system, case.program, url, words)
        if case.generator:
            # The same one for all systems.
            Program(directory, "cnats", case.generator, url, {"lane": lane, "size": size, "count": count}).result(120)
        result = program.result(120)
    finally:
        if service:
            service.kill()
    if result is None:
        return None
    return {"rate": result["messages"] / result["seconds"], "cpu_us": result["cpu_seconds"] / result["messages"] * 1e6,
            "rss_mb": result["rss_mb"], "threads": result["threads"], "p50_us": result.get("p50_us"),
            "p99_us": result.get("p99_us")}


def measure(directory, url, name, lane, size, rounds, scale):
    runs = {system: [] for system in SYSTEMS}
    for number in range(rounds):
        order = SYSTEMS if number % 2 == 0 else tuple(reversed(SYSTEMS))
        for system in order:
            print(f"\r  {name} {lane} {size} B: round {number + 1} of {rounds}, {system}   ", end="", file=sys.stderr)
            runs[system].append(run_once(directory, url, system, name, lane, size, scale))
    print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
    return runs


def summary(name, lane, size, runs):
    """One row per system; the ratio is that of the rates of the same round."""
    rows = []
    for system, results in runs.items():
        good = [result for result in results if result]
        row = {"case": name, "size": size, "lane": lane, "system": system}
        if good:
            for key in good[0]:
                values = [result[key] for result in good if result[key] is not None]
                row[key] = statistics.median(values) if values else None
        if system != "cnats":
            ratios = [ours["rate"] / theirs["rate"] for ours, theirs in zip(results, runs["cnats"]) if ours and theirs]
            if ratios:
                row["ratio"] = {"vs": "cnats", "median": statistics.median(ratios), "min": min(ratios),
                                "max": max(ratios)}
        rows.append(row)
    return rows


def amount(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def print_row(row):
    ratio = row.get("ratio")
    compared = f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})" if ratio else ""
    print(f"{row['case']:12}{row['lane']:>9}{row['size']:>6}{row['system']:>9}{amount(row.get('rate')):>12}"
          f"{amount(row.get('cpu_us'), 2):>8}{amount(row.get('p50_us')):>8}{amount(row.get('p99_us')):>8}"
          f"{amount(row.get('rss_mb')):>8}{amount(row.get('threads')):>9}  {compared}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    parser.add_argument("--list", action="store_true", help="the cases, and nothing else")
    parser.add_argument("--quick", action="store_true", help="under two minutes: fewer messages, two rounds")
    parser.add_argument("--rounds", type=int, help="default: 5, with --quick 2")
    parser.add_argument("--scale", type=float, help="of the number of messages; default: 1, with --quick 0.2")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("build/release/benchmarks"))
    arguments = parser.parse_args()
    if arguments.list:
        for name, case in CASES.items():
            print(f"{name:12} {', '.join(f'{lane} {size} B' for lane, size in case.variants)}")
        return 0
    unknown = set(arguments.cases) - CASES.keys()
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}; see --list")
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    scale = arguments.scale or (0.2 if arguments.quick else 1)
    rows = []
    print(f"{'case':12}{'lane':>9}{'size':>6}{'system':>9}{'rate/s':>12}{'cpu us':>8}{'p50 us':>8}{'p99 us':>8}"
          f"{'rss MB':>8}{'threads':>9}  ratio of rates (least to greatest)")
    with Server() as server:
        for name in arguments.cases or CASES:
            variants = CASES[name].variants
            for lane, size in variants[:1] if arguments.quick and not arguments.cases else variants:
                runs = measure(arguments.programs, server.url, name, lane, size, rounds, scale)
                for row in summary(name, lane, size, runs):
                    print_row(row)
                    rows.append(row)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=2) + "\n")
    failed = [f"{row['case']} {row['system']}" for row in rows if row.get("rate") is None]
    if failed:
        print(f"no result: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
