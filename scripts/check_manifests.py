#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks vcpkg.json and conanfile.py against CMakeLists.txt, without either tool.

With --conan it has conan read the recipe; where conan is not installed it says so and ends with 77, for "skipped".
"""
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.search(r"project\(freshet VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
# What CMake looks for and what the package managers call it.
NAMES = {"cnats": "cnats", "fmt": "fmt", "nlohmann_json": "nlohmann-json", "OpenSSL": "openssl", "spdlog": "spdlog",
         "glaze": "glaze",
         "ZLIB": "zlib", "zstd": "zstd"}
OPTIONAL = {"glaze", "ZLIB", "zstd"}
VCPKG_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

problems = []


def expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        problems.append(f"{what} is {found!r}, not {wanted!r}")


def check_names() -> None:
    text = (ROOT / "cmake/dependencies.cmake").read_text()
    found = re.findall(r"(?:freshet_dependency|find_package)\((\w+)", text)
    expect("dependencies.cmake: packages", sorted(set(found) - {"Threads", "Catch2", "name"}), sorted(NAMES))


def check_vcpkg() -> None:
    manifest = json.loads((ROOT / "vcpkg.json").read_text())
    expect("vcpkg.json: version", manifest["version"], VERSION)
    expect("vcpkg.json: name", manifest["name"], "freshet")
    expect("vcpkg.json: license", manifest["license"], "Apache-2.0")
    known = {"name", "version", "description", "license", "supports", "dependencies", "features"}
    expect("vcpkg.json: unknown fields", sorted(set(manifest) - known), [])
    expect("vcpkg.json: dependencies", manifest["dependencies"],
           sorted(NAMES[name] for name in NAMES if name not in OPTIONAL))
    for name, feature in manifest["features"].items():
        expect(f"vcpkg.json: fields of feature {name}", sorted(feature), ["dependencies", "description"])
        for dependency in [name, *feature["dependencies"]]:
            if not VCPKG_NAME.fullmatch(dependency):
                problems.append(f"vcpkg.json: {dependency!r} is not a name of vcpkg's")


def check_conanfile() -> None:
    text = (ROOT / "conanfile.py").read_text()
    compile(text, "conanfile.py", "exec")
    required = re.findall(r'self\.requires\("(\w+)/', text)
    expect("conanfile.py: requirements", sorted(required), sorted(name.lower() for name in NAMES))
    for pattern in re.findall(r'"([^"]*)"', re.search(r"exports_sources = \(([^)]*)\)", text)[1]):
        if not list(ROOT.glob(pattern)):
            problems.append(f"conanfile.py: exports_sources: nothing is {pattern}")


def inspect_with_conan() -> None:
    command = shutil.which("conan")
    if command is None and importlib.util.find_spec("conan") is None:
        print("skipped: conan is not installed (pip install conan)")
        sys.exit(77)
    command = [command] if command else [sys.executable, "-m", "conan.cli.cli"]
    done = subprocess.run([*command, "inspect", str(ROOT), "--format=json"], capture_output=True, text=True)
    if done.returncode != 0:
        problems.append(f"conan inspect: {done.stderr.strip()}")
        return
    recipe = json.loads(done.stdout)
    expect("conan inspect: version", recipe["version"], VERSION)
    expect("conan inspect: name", recipe["name"], "freshet")


if "--conan" in sys.argv:
    inspect_with_conan()
else:
    check_names()
    check_vcpkg()
    check_conanfile()
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
