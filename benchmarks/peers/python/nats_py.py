# SPDX-License-Identifier: Apache-2.0
"""The loops with nats.py, on uvloop and with orjson: the fastest that it has."""
import asyncio
import time

import nats
import orjson
import uvloop
from measurement import BODY, COUNT, LANE, OUTSTANDING, PROGRAM, URL, Measurement, ready
from nats.js.api import ConsumerConfig, StorageType, StreamConfig


async def deliver():
    client = await nats.connect(URL)
    finished = asyncio.Event()
    measurement = None
    handled = 0

    async def handle(message):
        nonlocal measurement, handled
        measurement = measurement or Measurement()
        if LANE != "bytes":
            orjson.loads(message.data)
        handled += 1
        if handled == COUNT:
            finished.set()

    await client.subscribe("bench.x", cb=handle, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await client.flush()
    ready()
    await finished.wait()
    measurement.report(COUNT)


async def rpc_service():
    client = await nats.connect(URL)

    async def answer(message):
        await message.respond(message.data)

    await client.subscribe("bench.rpc", cb=answer)
    await client.flush()
    ready()
    await asyncio.Event().wait()


async def rpc():
    client = await nats.connect(URL)
    await client.request("bench.rpc", BODY, timeout=30)
    latencies = []

    async def run():
        for _ in range(COUNT // OUTSTANDING):
            begin = time.perf_counter()
            await client.request("bench.rpc", BODY, timeout=30)
            latencies.append(time.perf_counter() - begin)

    ready()
    measurement = Measurement()
    await asyncio.gather(*(run() for _ in range(OUTSTANDING)))
    measurement.report(len(latencies), latencies)


async def renew_stream(client):
    context = client.jetstream(publish_async_max_pending=4096)
    try:
        await context.delete_stream("BENCH")
    except nats.js.errors.NotFoundError:
        pass
    await context.add_stream(StreamConfig(name="BENCH", subjects=["bench.js.>"], storage=StorageType.MEMORY))
    return context


async def publish_all(context):
    for _ in range(COUNT):
        await context.publish_async("bench.js.x", BODY, wait_stall=60)
    await context.publish_async_completed()


async def js_publish():
    context = await renew_stream(await nats.connect(URL))
    ready()
    measurement = Measurement()
    await publish_all(context)
    measurement.report(COUNT)


async def js_pull():
    client = await nats.connect(URL)
    context = await renew_stream(client)
    await publish_all(context)
    ready()
    measurement = Measurement()
    subscription = await context.pull_subscribe("bench.js.x", "bench", config=ConsumerConfig(max_ack_pending=-1))
    handled = 0
    while handled < COUNT:
        messages = await subscription.fetch(1000, timeout=5)
        for message in messages:
            await message.ack()
        handled += len(messages)
    await client.flush()
    measurement.report(COUNT)


uvloop.run(globals()[PROGRAM]())
