# SPDX-License-Identifier: Apache-2.0
"""Runs the systems of a case in turns and makes rows of what they print."""
import statistics
import sys

from cases import System

TIMEOUT = 120
FIGURES = ("rate", "p50_us", "p99_us", "p999_us", "cpu_us", "rss_mb", "threads")


class Measurement:
    """The runs of one case with one lane and size."""

    def __init__(self, programs, url, name, case, lane, size, scale):
        self.programs, self.url, self.name, self.case = programs, url, name, case
        self.lane, self.size, self.scale = lane, size, scale

    def count(self, system):
        count = int(self.case.count * self.scale) // system.slower
        if self.case.unit == "MiB":
            return max(count, self.size >> 20)
        if self.case.bytes:
            return max(min(count, self.case.bytes // self.size), 20)
        return max(count, 1_000)

    def run(self, system, **more):
        """One run, or nothing if it failed."""
        case = self.case
        words = {"url": self.url, "lane": self.lane, "size": self.size, "count": self.count(system), **case.words,
                 **system.words, **more}
        service = None
        try:
            service = self.programs.start(system, case.service, {"url": self.url}) if case.service else None
            program = self.programs.start(system, case.program, words)
            if case.generator:
                sent = {"lane": "bytes" if self.lane == "bytes" else "order"}
                sent |= {word: words[word] for word in ("url", "size", "count", "subjects") if word in words}
                self.programs.start(System("cnats"), "publish", sent).result(TIMEOUT)
            result = program.result(TIMEOUT)
        except (OSError, RuntimeError) as error:
            print(f"\n{error}", file=sys.stderr)
            return None
        finally:
            if service:
                service.kill()
        if result is None:
            return None
        result |= {"rate": result["messages"] / result["seconds"],
                   "cpu_us": result["cpu_seconds"] / result["messages"] * 1e6}
        return {figure: result.get(figure) for figure in FIGURES}

    def paced(self):
        """The words for a share of what the slowest system can do."""
        if not self.case.load:
            return {}
        rates = [run["rate"] for system in self.case.systems.values() if (run := self.run(system))]
        rate = max(int(min(rates, default=0) * self.case.load), 1)
        return {"rate": rate, "count": max(int(rate * self.case.seconds * self.scale), 100)}

    def rounds(self, number):
        """{system: [run or nothing]}. The order of the systems turns with each round."""
        runs = {name: [] for name in self.case.systems}
        for round_number in range(number):
            names = list(runs) if round_number % 2 == 0 else list(reversed(runs))
            more = self.paced()
            for name in names:
                print(f"\r  {self.name} {self.lane} {self.size} B: round {round_number + 1} of {number}, {name:12}",
                      end="", file=sys.stderr)
                runs[name].append(self.run(self.case.systems[name], **more))
        print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
        return runs

    def rows(self, number):
        """One row per system. The ratio is that of the rates of the same round."""
        runs = self.rounds(number)
        reference = self.case.reference
        rows = []
        for system, results in runs.items():
            row = {"case": self.name, "size": self.size, "lane": self.lane, "system": system}
            for figure in FIGURES:
                values = [result[figure] for result in results if result and result[figure] is not None]
                row[figure] = statistics.median(values) if values else None
            ratios = [ours["rate"] / theirs["rate"] for ours, theirs in zip(results, runs.get(reference, ()))
                      if ours and theirs and system != reference]
            row["ratio"] = {"vs": reference, "median": statistics.median(ratios), "min": min(ratios),
                            "max": max(ratios)} if ratios else None
            rows.append(row)
        return rows
