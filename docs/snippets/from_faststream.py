# SPDX-License-Identifier: Apache-2.0
# The FastStream side of docs/from-faststream.md. It runs in memory.
import asyncio
import logging
from typing import Annotated

from faststream import AckPolicy, BaseMiddleware, Context, Depends, Header, Path, Response
from faststream.nats import JStream, NatsBroker, NatsRouter, PullSub, TestNatsBroker
from pydantic import BaseModel

seen = []


class Order(BaseModel):
    id: str
    amount: float


class Invoice(BaseModel):
    order_id: str
    total: float


class Store:
    def __init__(self):
        self.orders = {}


store = Store()
broker = NatsBroker(logger=None, log_level=logging.CRITICAL)


# [handler]
@broker.subscriber("orders.{region}.created", queue="billing")
@broker.publisher("invoices")
async def bill(order: Order, region: Annotated[str, Path()]) -> Invoice:
    return Invoice(order_id=order.id, total=order.amount * (1.2 if region == "eu" else 1.1))
# [handler]


# [fields]
@broker.subscriber("users.add")
async def add_user(name: str, age: int = 18, tenant: Annotated[str, Header()] = "nobody"):
    return f"{tenant}: {name} {age}"
# [fields]


# [response]
@broker.subscriber("report")
async def report(title: str, pages: int):
    return Response(f"{title}: {pages} pages", headers={"unit": "mm"})
# [response]


# [depends]
async def current_user(token: Annotated[str, Header()]):
    return "user of " + token


@broker.subscriber("whoami")
async def whoami(user: Annotated[str, Depends(current_user)]):
    return user
# [depends]


# [inject]
broker.context.set_global("store", store)


@broker.subscriber("orders.put")
async def put(order: Order, store: Annotated[Store, Context()]):
    store.orders[order.id] = order
# [inject]


# [router]
router = NatsRouter(prefix="v1.")


@router.subscriber("ping")
async def ping():
    return "pong"


broker.include_router(router)
# [router]


# [middleware]
class Audit(BaseMiddleware):
    async def consume_scope(self, call_next, msg):
        seen.append(msg.raw_message.subject)
        return await call_next(msg)


broker.add_middleware(Audit)
# [middleware]


# [jetstream]
stream = JStream("JOBS", subjects=["jobs.>"])


@broker.subscriber("jobs.*", stream=stream, durable="worker", pull_sub=PullSub(), ack_policy=AckPolicy.NACK_ON_ERROR)
async def work(order: Order):
    seen.append(order.id)
# [jetstream]


# [test]
async def test_bill():
    async with TestNatsBroker(broker) as br:
        await br.publish(Order(id="a1", amount=10), "orders.eu.created")
        bill.mock.assert_called_once_with({"id": "a1", "amount": 10})
# [test]


async def main():
    await test_bill()
    async with TestNatsBroker(broker) as br:
        async def ask(body, subject, **options):
            answer = await br.request(body, subject, **options)
            return await answer.decode()

        assert await ask({"name": "ann"}, "users.add") == "nobody: ann 18"
        assert await ask({"name": "bob", "age": 7}, "users.add", headers={"tenant": "acme"}) == "acme: bob 7"
        assert (await br.request({"title": "t", "pages": 3}, "report")).headers["unit"] == "mm"
        assert await ask("", "whoami", headers={"token": "t"}) == "user of t"
        await br.publish(Order(id="a1", amount=1), "orders.put")
        assert list(store.orders) == ["a1"]
        assert await ask("", "v1.ping") == "pong"
        await br.publish(Order(id="j1", amount=1), "jobs.one", stream="JOBS")
        assert seen[-1] == "j1" and "v1.ping" in seen, seen
    print("the FastStream side runs")


asyncio.run(main())
