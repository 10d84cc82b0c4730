# SPDX-License-Identifier: Apache-2.0
"""The loops with FastStream, on uvloop: a framework's handlers instead of a client's."""
import asyncio
import logging
import time

import nats
import uvloop
from faststream.nats import JStream, NatsBroker, PullSub
from measurement import BODY, COUNT, LANE, OUTSTANDING, PROGRAM, URL, Measurement, ready
from nats.js.api import ConsumerConfig, StorageType
from pydantic import BaseModel


class Line(BaseModel):
    sku: str
    quantity: int
    price: float


class Order(BaseModel):
    id: str
    customer: str
    region: str
    lines: list[Line]
    total: float
    paid: bool


broker = NatsBroker(URL, logger=None, log_level=logging.CRITICAL)
stream = JStream("BENCH", subjects=["bench.js.>"], storage=StorageType.MEMORY)


class Counter:
    def __init__(self):
        self.measurement, self.handled, self.finished = None, 0, asyncio.Event()

    def count(self):
        self.measurement = self.measurement or Measurement()
        self.handled += 1
        if self.handled == COUNT:
            self.finished.set()

    async def report(self):
        await self.finished.wait()
        self.measurement.report(COUNT)


async def deliver():
    counter = Counter()
    if LANE == "bytes":
        @broker.subscriber("bench.x", pending_msgs_limit=-1, pending_bytes_limit=-1)
        async def handle(body: bytes):
            counter.count()
    else:
        @broker.subscriber("bench.x", pending_msgs_limit=-1, pending_bytes_limit=-1)
        async def handle(order: Order):
            counter.count()
    await broker.start()
    await broker.ping(5)
    ready()
    await counter.report()


async def rpc_service():
    @broker.subscriber("bench.rpc")
    async def answer(body: bytes) -> bytes:
        return body

    await broker.start()
    await broker.ping(5)
    ready()
    await asyncio.Event().wait()


async def rpc():
    await broker.start()
    latencies = []

    async def run():
        for _ in range(COUNT // OUTSTANDING):
            begin = time.perf_counter()
            await broker.request(BODY, "bench.rpc", timeout=30)
            latencies.append(time.perf_counter() - begin)

    ready()
    measurement = Measurement()
    await asyncio.gather(*(run() for _ in range(OUTSTANDING)))
    measurement.report(len(latencies), latencies)


async def renew_stream():
    client = await nats.connect(URL)
    context = client.jetstream(publish_async_max_pending=4096)
    try:
        await context.delete_stream("BENCH")
    except nats.js.errors.NotFoundError:
        pass
    await context.add_stream(name="BENCH", subjects=["bench.js.>"], storage=StorageType.MEMORY)
    return context


async def js_publish():
    await renew_stream()
    await broker.start()
    left = COUNT

    async def run():
        nonlocal left
        while left > 0:
            left -= 1
            await broker.publish(BODY, "bench.js.x", stream="BENCH", timeout=30)

    ready()
    measurement = Measurement()
    await asyncio.gather(*(run() for _ in range(OUTSTANDING)))
    measurement.report(COUNT)


async def js_pull():
    context = await renew_stream()
    for _ in range(COUNT):
        await context.publish_async("bench.js.x", BODY, wait_stall=60)
    await context.publish_async_completed()
    counter = Counter()

    @broker.subscriber("bench.js.x", stream=stream, durable="bench", pull_sub=PullSub(batch_size=1000),
                       config=ConsumerConfig(max_ack_pending=-1))
    async def handle(body: bytes):
        counter.count()

    ready()
    counter.measurement = Measurement()
    await broker.start()
    await counter.report()


uvloop.run(globals()[PROGRAM]())
