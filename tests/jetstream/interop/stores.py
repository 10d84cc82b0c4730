# SPDX-License-Identifier: Apache-2.0
"""What nats.py does with key-value buckets and object stores, for the tests that compare.

stores.py URL write    makes the buckets "kv_py" and "obj_py" and writes into them
stores.py URL read     prints what it reads in "kv_cpp" and "obj_cpp", a line for each thing
"""
import asyncio
import hashlib
import sys

import nats
from nats.js.api import ObjectMeta
from nats.js.errors import KeyNotFoundError, ObjectNotFoundError

BIG = bytes(i % 251 for i in range(300_000))


async def write(js):
    kv = await js.create_key_value(bucket="kv_py", history=5)
    await kv.put("a", b'{"on":true,"note":"of python"}')
    await kv.put("a", b'{"on":false,"note":"again"}')
    await kv.put("gone", b'{"on":true,"note":""}')
    await kv.delete("gone")
    await kv.put("purged", b'{"on":true,"note":""}')
    await kv.purge("purged")
    store = await js.create_object_store(bucket="obj_py")
    await store.put("big", BIG, meta=ObjectMeta(description="of python", headers={"k": "v"}))
    await store.put("a name/ä", b"text")
    await store.put("deleted", b"x")
    await store.delete("deleted")


async def read(js):
    kv = await js.key_value("kv_cpp")
    entry = await kv.get("a")
    print("a", entry.value.decode(), entry.revision)
    for key in ("gone", "purged"):
        try:
            await kv.get(key)
            print(key, "is there")
        except KeyNotFoundError:
            print(key, "is not there")
    print("history", [(e.operation or "PUT", e.revision) for e in await kv.history("gone")])
    print("keys", sorted(await kv.keys()))
    print("updated", await kv.update("a", b'{"on":false,"note":"of python"}', last=entry.revision) > entry.revision)
    print("values", (await kv.status()).history)

    store = await js.object_store("obj_cpp")
    big = await store.get("big")
    print("big", hashlib.sha256(big.data).hexdigest(), big.info.size, big.info.chunks, big.info.description)
    print("name", (await store.get("a name/ä")).data.decode())
    try:
        await store.get("deleted")
        print("deleted is there")
    except ObjectNotFoundError:
        print("deleted is not there")
    print("objects", sorted(info.name for info in await store.list()))


async def main():
    client = await nats.connect(sys.argv[1])
    await {"write": write, "read": read}[sys.argv[2]](client.jetstream())
    await client.close()


asyncio.run(main())
