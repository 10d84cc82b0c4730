#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads Prometheus' text from stdin with Prometheus' own parser; prints a line `TYPE NAME SERIES` for each family.

Checks what a parser lets pass: buckets that fall, a histogram whose last bucket is not its count.
"""
import math
import sys

from prometheus_client.parser import text_string_to_metric_families


def check_histogram(family):
    series = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        bound = labels.pop("le", None)
        one = series.setdefault(tuple(sorted(labels.items())), {"buckets": []})
        if sample.name.endswith("_bucket"):
            one["buckets"].append((float(bound), sample.value))
        else:
            one[sample.name.rpartition("_")[2]] = sample.value
    for labels, one in series.items():
        bounds, counts = zip(*one["buckets"])
        assert list(bounds) == sorted(bounds) and bounds[-1] == math.inf, (family.name, labels, bounds)
        assert list(counts) == sorted(counts) and counts[-1] == one["count"], (family.name, labels, counts)
        assert one["sum"] >= 0, (family.name, labels)


names = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.name not in names, f"{family.name} twice"
    names.add(family.name)
    assert family.documentation, f"{family.name} has no help"
    assert family.type in ("counter", "gauge", "histogram"), family
    if family.type == "histogram":
        check_histogram(family)
    keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
    assert len(keys) == len(set(keys)), f"{family.name}: a series twice"
    print(family.type, family.name, len(keys))
