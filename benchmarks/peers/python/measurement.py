# SPDX-License-Identifier: Apache-2.0
"""What the Python programs share: the words of the runner, the figures for it."""
import json
import pathlib
import re
import resource
import sys
import time

PROGRAM = sys.argv[1]
WORDS = dict(word.split("=", 1) for word in sys.argv[2:])
URL = WORDS.get("url", "nats://127.0.0.1:4222")
LANE = WORDS.get("lane", "bytes")
COUNT = int(WORDS.get("count", 100_000))
OUTSTANDING = int(WORDS.get("outstanding", 1))
BODY = b"x" * int(WORDS.get("size", 128))


def ready():
    print("ready", flush=True)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Measurement:
    def __init__(self):
        self.begin, self.cpu = time.perf_counter(), cpu()

    def report(self, messages, latencies=()):
        row = {"messages": messages, "seconds": time.perf_counter() - self.begin, "cpu_seconds": cpu() - self.cpu}
        status = pathlib.Path("/proc/self/status").read_text()
        row["rss_mb"] = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        row["threads"] = int(re.search(r"Threads:\s+(\d+)", status)[1])
        if latencies:
            latencies = sorted(latencies)
            for name, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)):
                row[name] = latencies[int((len(latencies) - 1) * share)] * 1e6
        print(json.dumps(row), flush=True)
