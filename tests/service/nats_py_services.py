#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nats.py's side of interop_test.cpp: `ask` finds and calls freshet's service and prints JSON; `serve` is one."""
import asyncio
import json
import sys

import nats
import nats.micro
from nats.micro import ServiceConfig
from nats.micro.request import ServiceError
from nats.micro.service import EndpointConfig


async def answer(connection, subject):
    reply = await connection.request(subject, b"", timeout=10)
    return json.loads(reply.data)


async def ask(connection, service_id):
    ping = await answer(connection, "$SRV.PING.calc")
    info = await answer(connection, f"$SRV.INFO.calc.{service_id}")
    sum_ = await connection.request("calc.add", json.dumps({"a": 1, "b": 2}).encode(), timeout=10)
    error = await connection.request("calc.add", json.dumps({"a": 1, "b": -2}).encode(), timeout=10)
    stats = {"num_requests": 0}
    while stats["num_requests"] < 2:  # an answer may come before it is counted
        stats = (await answer(connection, "$SRV.STATS"))["endpoints"][0]
    # nats.py's own types take the answers.
    nats.micro.service.ServicePing.from_dict(ping)
    nats.micro.service.ServiceInfo.from_dict(info)
    nats.micro.service.ServiceStats.from_dict(await answer(connection, "$SRV.STATS"))
    print(json.dumps({
        "ping": ping,
        "info": {"description": info["description"],
                 "endpoints": [f"{one['name']} {one['subject']} {one['queue_group']}" for one in info["endpoints"]]},
        "sum": json.loads(sum_.data)["value"],
        "error": [error.headers["Nats-Service-Error-Code"], error.headers["Nats-Service-Error"]],
        "stats": stats,
    }))


async def serve(connection):
    async def add(request):
        numbers = json.loads(request.data)
        if numbers["b"] < 0:
            raise ServiceError("422", "negative")
        await request.respond(json.dumps({"value": numbers["a"] + numbers["b"]}).encode())

    service = await nats.micro.add_service(connection, ServiceConfig(
        name="pycalc", version="0.3.1", description="Adds in Python", metadata={"lang": "python"}))
    await service.add_endpoint(EndpointConfig(name="add", subject="py.add", handler=add))
    await connection.flush()
    print("serving", flush=True)
    await asyncio.Event().wait()


async def main():
    connection = await nats.connect(sys.argv[1])
    if sys.argv[2] == "serve":
        await serve(connection)
    else:
        await ask(connection, sys.argv[3])
        await connection.close()


asyncio.run(main())
