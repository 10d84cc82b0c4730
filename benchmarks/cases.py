# SPDX-License-Identifier: Apache-2.0
"""What bench.py measures: a table of cases, each with the programs it runs and the systems it compares."""
import ctypes.util
import dataclasses
import json
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class System:
    """A way to do a case's work: whose programs run, and what they are told."""
    family: str
    words: dict = dataclasses.field(default_factory=dict)
    environment: dict = dataclasses.field(default_factory=dict)
    slower: int = 1  # a divisor of the number of messages, for the time


@dataclasses.dataclass(frozen=True)
class Case:
    program: str
    count: int
    variants: tuple  # of (lane, size in bytes)
    service: str = ""  # a program that answers meanwhile, of the same system
    generator: bool = False  # plain cnats publishes what the program takes, for all systems
    words: dict = dataclasses.field(default_factory=dict)
    systems: dict = dataclasses.field(default_factory=lambda: BOTH)
    reference: str = "cnats"
    bytes: int = 0  # of all messages at most: fewer of them when they are large
    # Publish at this share of the highest rate of the slowest system, for `seconds`; 0: as fast as possible.
    load: float = 0
    seconds: float = 3
    unit: str = "messages"


BOTH = {"freshet": System("freshet"), "cnats": System("cnats")}


def both(slower=1, **words):
    """The two, where plain cnats takes so much longer."""
    return {"freshet": System("freshet"), "cnats": System("cnats", words, slower=slower)}


def turned(reference, **settings):
    """freshet with one thing turned: {system: words}."""
    return {"systems": {name: System("freshet", words) for name, words in settings.items()}, "reference": reference}


SIZES = (("bytes", 128), ("bytes", 16), ("bytes", 1024))
ORDERS = (("glaze", 179), ("nlohmann", 179))
ONE = SIZES[:1]
MIB = 1 << 20

# The connection that answers leave on.
ANSWERS = {name: System("freshet", environment={"FRESHET_BENCH_ANSWERS": name.split()[0]})
           for name in ("other connection", "asked connection")}

PLAIN = {
    "publish": Case("publish", 2_000_000, SIZES + ORDERS),
    "deliver": Case("deliver", 1_000_000, SIZES + ORDERS, generator=True),
    "queue_100": Case("deliver", 500_000, ONE, generator=True, words={"subscribers": 100}),
    "queue_1000": Case("deliver", 300_000, ONE, generator=True, words={"subscribers": 1000}, systems=both(3)),
    "rpc_1": Case("rpc", 10_000, SIZES, service="rpc_service"),
    "rpc_64": Case("rpc", 200_000, SIZES, service="rpc_service", words={"outstanding": 64}, systems=both(5)),
    "rpc_512": Case("rpc", 400_000, ONE, service="rpc_service", words={"outstanding": 512}, systems=both(20)),
    "js_publish": Case("js_publish", 300_000, SIZES, words={"outstanding": 4096}),
    "js_batch": Case("js_batch", 100_000, ONE, words={"batch": 1000}, systems=both(10)),
    "js_pull": Case("js_pull", 200_000, SIZES),
    "js_pull_100": Case("js_pull", 200_000, ONE, words={"batch": 100}),
    "kv_1": Case("kv", 10_000, (("put", 128), ("get", 128))),
    "kv_64": Case("kv", 200_000, (("put", 128), ("get", 128)), words={"outstanding": 64}, systems=both(5)),
    "kv_64_threads": Case("kv", 100_000, (("put", 128), ("get", 128)), words={"outstanding": 64, "dispatch": "threads"},
                          systems=both(3)),
    "object": Case("object", 768, (("put", 64 * MIB), ("get", 64 * MIB)), unit="MiB"),
}

SCALE = {
    f"subscribers_{number}": Case("deliver", 300_000, ONE, generator=True, words={"subjects": number},
                                  systems=both(slower))
    for number, slower in ((1, 1), (100, 1), (10_000, 20))
} | {
    f"brokers_{number}": Case("deliver", 300_000, ONE, generator=True, words={"subjects": number, "brokers": number})
    for number in (1, 2, 4, 8, 16)
} | {
    f"latency_{share}": Case("latency", 300_000, ONE, load=share / 100) for share in (10, 50, 90)
} | {
    "payload": Case("deliver", 200_000, tuple(("bytes", size) for size in (1024, 16 << 10, 128 << 10, MIB, 8 * MIB)),
                    generator=True, bytes=400 * MIB)
}


def jemalloc():
    """The library to load in place of the C library's allocator; nothing where there is none."""
    return os.environ.get("FRESHET_JEMALLOC") or ctypes.util.find_library("jemalloc") or ""


TUNABLES = {
    "allocator": Case("deliver", 1_000_000, SIZES[:2] + ORDERS, generator=True, reference="malloc",
                      systems={"malloc": System("freshet"),
                               "jemalloc": System("freshet", environment={"LD_PRELOAD": jemalloc()})}),
    "buffer": Case("publish", 1_000_000, SIZES, **turned("256 KiB", **{
        "256 KiB": {}, "32 KiB": {"buffer": 32 << 10}, "64 KiB": {"buffer": 64 << 10}, "1 MiB": {"buffer": MIB}})),
    "headers": Case("publish", 500_000, ONE, **turned("none", **{
        "none": {}, "1 header": {"headers": 1}, "3 headers": {"headers": 3}, "envelope": {"envelope": "full"}})),
    "dispatch": Case("deliver", 500_000, ONE, generator=True, **turned("pool", **{
        "pool": {}, "dedicated": {"dispatch": "dedicated"}, "workers 4": {"dispatch": "workers"},
        "ordered 4": {"dispatch": "ordered"}})),
    **{f"answers_{number}": Case("rpc", 10_000 if number == 1 else 200_000, SIZES, service="rpc_service",
                                 words={"outstanding": number}, systems=ANSWERS, reference="other connection")
       for number in (1, 64, 512)},
    "confirm": Case("js_pipe", 100_000, ONE, **turned("plain", **{"plain": {"confirm": 0}, "confirmed": {}})),
    "codec": Case("deliver", 500_000, (("order", 179),), generator=True, **turned("bytes", **{
        "bytes": {"lane": "bytes"}, "glaze": {"lane": "glaze"}, "nlohmann": {"lane": "nlohmann"}})),
}


def peer_commands():
    """How to start the clients and frameworks of other languages that peers/install.sh has put into $FRESHET_PEERS."""
    manifest = pathlib.Path(os.environ.get("FRESHET_PEERS", "")) / "peers.json"
    return json.loads(manifest.read_text()) if manifest.is_file() else {}


CLIENTS = BOTH | {"nats.go": System("nats.go"), "async-nats": System("async-nats"),
                  "nats.js": System("nats.js", slower=3),
                  "nats.py": System("nats.py", slower=10), "faststream": System("faststream", slower=50)}
ALL = CLIENTS | {"ruststream": System("ruststream")}  # which answers and publishes through its handlers only

PEERS = {
    "peer_deliver": Case("deliver", 500_000, SIZES[:2] + ORDERS[:1], generator=True, systems=ALL, reference="freshet"),
    "peer_rpc_64": Case("rpc", 100_000, ONE, service="rpc_service", words={"outstanding": 64}, systems=CLIENTS,
                        reference="freshet"),
    "peer_js_publish": Case("js_publish", 200_000, ONE, words={"outstanding": 4096}, systems=CLIENTS,
                            reference="freshet"),
    "peer_js_pull": Case("js_pull", 200_000, ONE, systems=ALL, reference="freshet"),
}

OFF_AND_ON = turned("off", **{"off": {}, "on": {"metrics": 1}})
METRICS = {
    "metrics_deliver": Case("deliver", 1_000_000, SIZES[:2], generator=True, **OFF_AND_ON),
    "metrics_publish": Case("publish", 2_000_000, SIZES[:2], **OFF_AND_ON),
    "metrics_rpc_64": Case("rpc", 200_000, ONE, service="rpc_service", words={"outstanding": 64}, **OFF_AND_ON),
    "metrics_js_pull": Case("js_pull", 200_000, ONE, **OFF_AND_ON),
}

GROUPS = {"plain": PLAIN, "scale": SCALE, "tunables": TUNABLES, "metrics": METRICS, "peers": PEERS}
