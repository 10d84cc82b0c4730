#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what freshet costs against tests/budget/budgets.json.

check_budgets.py messages PROGRAM [--plant instructions|allocation] [--update]
    Instructions (counted by callgrind) and allocations per message of each case that PROGRAM runs.
    With --plant the program does more than it should, and the check fails unless every case is found over its budget.

check_budgets.py compile COMPILER RESPONSE_FILE [--update]
    What the umbrella header and one handler cost the compiler, as ratios to a translation unit that uses the standard
    library only: memory that GCC allocates, which goes with its time but does not depend on how busy the machine is,
    and object size.

check_budgets.py size PROGRAM [--update]
    Bytes of a program, which is stripped.

--update writes what was measured as the new budgets: on purpose, with the reason in the commit's message.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUDGETS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "budget" / "budgets.json"
MESSAGES_PER_CASE = 1000
INSTRUCTIONS_SLACK = 20  # for another link order; less than half of what must be seen
ALLOCATIONS_SLACK = 0.01


def measure_messages(program, plant):
    """{case: {"instructions": i, "allocations": a}}, both per message."""
    environment = {**os.environ, **({"FRESHET_BUDGET_PLANT": plant} if plant else {})}
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory) / "out"
        run = subprocess.run(["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes",
                              f"--callgrind-out-file={output}", program], env=environment, stdout=subprocess.PIPE,
                             text=True, check=True)
        allocations = {name: float(count) for name, count in (line.split() for line in run.stdout.splitlines())}
        measured = {}
        for dump in pathlib.Path(directory).glob("*-01"):  # the main thread: the others only free what cnats allocated
            text = dump.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
            total = re.search(r"^(?:totals|summary): (\d+)$", text, re.MULTILINE)
            if name and total:
                measured[name[1]] = {"instructions": round(int(total[1]) / MESSAGES_PER_CASE),
                                     "allocations": allocations[name[1]]}
    missing = allocations.keys() - measured.keys()
    if missing or not measured:
        sys.exit(f"callgrind counted nothing for {sorted(missing) or program}")
    return measured


def over(budget, measured):
    return [kind for kind, slack in (("instructions", INSTRUCTIONS_SLACK), ("allocations", ALLOCATIONS_SLACK))
            if measured[kind] > budget[kind] + slack]


def print_table(measured, budgets):
    print(f"{'case':24}{'instructions':>14}{'budget':>9}{'allocations':>14}{'budget':>9}")
    for name, cost in sorted(measured.items()):
        budget = budgets.get(name, {"instructions": "-", "allocations": "-"})
        mark = "  over" if name in budgets and over(budget, cost) else ""
        print(f"{name:24}{cost['instructions']:>14}{budget['instructions']:>9}{cost['allocations']:>14g}"
              f"{budget['allocations']:>9}{mark}")


def check_messages(arguments):
    everything = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    budgets = everything.get("messages", {})
    measured = measure_messages(arguments.program, arguments.plant)
    print_table(measured, budgets)
    if arguments.update:
        everything["messages"] = dict(sorted(measured.items()))
        BUDGETS.write_text(json.dumps(everything, indent=2) + "\n")
        return 0
    if measured.keys() != budgets.keys():
        print(f"cases and budgets differ: {sorted(measured.keys() ^ budgets.keys())}; see --update")
        return 1
    found = {name: over(budgets[name], cost) for name, cost in measured.items()}
    if arguments.plant:
        kind = "allocations" if arguments.plant == "allocation" else "instructions"
        unseen = [name for name, kinds in found.items() if kind not in kinds]
        print(f"planted {arguments.plant}: " + (f"not seen in {unseen}" if unseen else "seen in every case"))
        return 1 if unseen else 0
    exceeded = {name: kinds for name, kinds in found.items() if kinds}
    for name, kinds in exceeded.items():
        print(f"{name}: over its budget of {' and '.join(kinds)}. Make it cheaper, or raise the budget on purpose: "
              f"{sys.argv[0]} messages --update {arguments.program}")
    return 1 if exceeded else 0


YARDSTICK = """
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
struct Item { std::string name; int count = 0; };
std::map<std::string, std::vector<Item>> index(const std::vector<Item>& items) {
    std::map<std::string, std::vector<Item>> by_name;
    for (const auto& item : items) by_name[item.name].push_back(item);
    for (auto& [name, list] : by_name)
        std::sort(list.begin(), list.end(), [](const Item& a, const Item& b) { return a.count < b.count; });
    return by_name;
}
std::unordered_map<std::string, std::function<int(int)>> table() {
    return {{"twice", [](int x) { return 2 * x; }}, {"next", [](int x) { return x + 1; }}};
}
std::shared_ptr<Item> make() { return std::make_shared<Item>(); }
"""
HANDLERS = 20
HANDLER = """
struct In{i} {{ std::string id; double amount = 0; }};
struct Out{i} {{ std::string id; double total = 0; }};
FRESHET_JSON(In{i}, id, amount);
FRESHET_JSON(Out{i}, id, total);
void wire{i}(freshet::Broker& broker) {{
    broker.subscriber<"orders.{{region}}.created{i}">({{.queue = "billing"}})
        .publish_to<"invoices.{{region}}">()
        .handle([](const In{i}& in, freshet::Path<"region"> region, freshet::Logger& log) -> Out{i} {{
            log.info("{{}}", *region);
            return {{in.id, in.amount}};
        }});
}}
"""
COMPILE_SLACK = 1.05


def compile_cost(compiler, response, source):
    """Megabytes that GCC allocates, and bytes of the object."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "unit.cpp"
        path.write_text(source)
        command = [compiler, f"@{response}", "-O0", "-ftime-report", "-c", path, "-o", path.with_suffix(".o")]
        report = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
        number, unit = re.search(r"^ TOTAL .*?(\d+)([kMG])\s*$", report, re.MULTILINE).groups()
        return int(number) * {"k": 1 / 1024, "M": 1, "G": 1024}[unit], path.with_suffix(".o").stat().st_size


def measure_compile(compiler, response):
    header = "#include <freshet/freshet.hpp>\n"
    units = {"yardstick": YARDSTICK, "header": header,
             "handlers": header + "".join(HANDLER.format(i=i) for i in range(HANDLERS))}
    costs = {name: compile_cost(compiler, response, source) for name, source in units.items()}
    memory = {name: cost[0] for name, cost in costs.items()}
    size = {name: cost[1] for name, cost in costs.items()}
    print(f"yardstick {memory['yardstick']:.0f} MB, {size['yardstick']} bytes; header {memory['header']:.0f} MB; "
          f"a handler {(memory['handlers'] - memory['header']) / HANDLERS:.1f} MB, "
          f"{(size['handlers'] - size['header']) // HANDLERS} bytes")
    return {"header_memory": round(memory["header"] / memory["yardstick"], 3),
            "handler_memory": round((memory["handlers"] - memory["header"]) / HANDLERS / memory["yardstick"], 3),
            "handler_size": round((size["handlers"] - size["header"]) / HANDLERS / size["yardstick"], 3)}


def check_compile(arguments):
    everything = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    measured = measure_compile(arguments.compiler, arguments.response)
    if arguments.update:
        everything["compile"] = measured
        BUDGETS.write_text(json.dumps(everything, indent=2) + "\n")
    budgets = everything.get("compile", {})
    failed = False
    for name, ratio in measured.items():
        exceeded = name not in budgets or ratio > budgets[name] * COMPILE_SLACK
        failed |= exceeded
        print(f"{name:15}{ratio:8.3f} of the yardstick, budget {budgets.get(name, '-')}{'  over' if exceeded else ''}")
    return 1 if failed else 0


SIZE_SLACK = 1.05  # for another patch of the compiler and of the libraries' headers


def check_size(arguments):
    everything = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    size = os.stat(arguments.program).st_size
    if arguments.update:
        everything["size"] = {"one_handler": size}
        BUDGETS.write_text(json.dumps(everything, indent=2) + "\n")
    budget = everything.get("size", {}).get("one_handler", 0)
    exceeded = size > budget * SIZE_SLACK
    print(f"{size} bytes, budget {budget}{'  over' if exceeded else ''}")
    return 1 if exceeded else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    messages = commands.add_parser("messages")
    messages.add_argument("program")
    messages.add_argument("--plant", choices=["instructions", "allocation"])
    messages.add_argument("--update", action="store_true")
    messages.set_defaults(check=check_messages)
    compiling = commands.add_parser("compile")
    compiling.add_argument("compiler")
    compiling.add_argument("response")
    compiling.add_argument("--update", action="store_true")
    compiling.set_defaults(check=check_compile)
    size = commands.add_parser("size")
    size.add_argument("program")
    size.add_argument("--update", action="store_true")
    size.set_defaults(check=check_size)
    arguments = parser.parse_args()
    return arguments.check(arguments)


if __name__ == "__main__":
    sys.exit(main())
