#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nats.py's side of js_nats_py_test.cpp: reads what freshet wrote, and writes what freshet reads. Prints JSON."""
import asyncio
import json
import sys

import nats
from nats.js.api import DiscardPolicy, StorageType, StreamConfig


async def main(url: str) -> None:
    connection = await nats.connect(url)
    js = connection.jetstream()
    info = await js.stream_info("ORDERS")
    last = await js.get_last_msg("ORDERS", "orders.eu")
    again = await js.publish("orders.eu", b"{}", headers={"Nats-Msg-Id": "a1"})
    await js.add_stream(StreamConfig(name="PY", subjects=["py.>"], storage=StorageType.MEMORY,
                                     discard=DiscardPolicy.NEW,
                                     max_msgs=100, max_age=3600, duplicate_window=60, allow_direct=True))
    for number in range(3):
        await js.publish("py.numbers", str(number).encode(), headers={"number": str(number)})
    print(json.dumps({"max_age": info.config.max_age, "data": last.data.decode(), "headers": last.headers,
                      "duplicate": again.duplicate}))
    await connection.close()


asyncio.run(main(sys.argv[1]))
