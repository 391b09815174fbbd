"""asyncpg, which speaks the protocol by itself: binary, prepared, with a pool."""

import asyncio
import os
import ssl

import asyncpg

URI = os.environ["URI"]
CA = os.environ["CA"]


async def prepared_and_cached():
    session = await asyncpg.connect(URI)
    for number in range(200):
        assert await session.fetchval("SELECT $1::int * 2", number) == number * 2
    statement = await session.prepare("SELECT g, repeat('x', g) FROM generate_series(1, $1) g")
    rows = await statement.fetch(300)
    assert len(rows) == 300 and rows[-1][1] == "x" * 300
    await session.executemany("SELECT $1::text", [(str(i),) for i in range(500)])
    await session.close()


async def types():
    session = await asyncpg.connect(URI)
    await session.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b mood)")
    value = await session.fetchval("SELECT ROW(1, 'happy')::pair")
    assert value["b"] == "happy", value
    assert await session.fetchval("SELECT $1::mood[]", ["sad", "happy"]) == ["sad", "happy"]
    await session.execute("DROP TYPE pair; DROP TYPE mood")
    await session.close()


async def transactions_and_cursors():
    session = await asyncpg.connect(URI)
    async with session.transaction():
        await session.execute("CREATE TEMP TABLE t (id int PRIMARY KEY)")
        await session.execute("INSERT INTO t VALUES (1)")
        try:
            async with session.transaction():
                await session.execute("INSERT INTO t VALUES (1)")
        except asyncpg.UniqueViolationError:
            pass
        total = 0
        async for row in session.cursor("SELECT generate_series(1, 1000)", prefetch=10):
            total += row[0]
        assert total == 500_500
    await session.close()


async def copies():
    session = await asyncpg.connect(URI)
    await session.execute("CREATE TEMP TABLE c (id int, v text)")
    records = [(number, "y" * 20) for number in range(20_000)]
    assert await session.copy_records_to_table("c", records=records) == "COPY 20000"
    seen = []

    async def take(data):
        seen.append(data)

    await session.copy_from_query("SELECT id FROM c", output=take)
    assert len(b"".join(seen).splitlines()) == 20_000
    await session.close()


async def notifications_and_timeouts():
    listener, sender = await asyncpg.connect(URI), await asyncpg.connect(URI)
    heard = asyncio.get_running_loop().create_future()
    await listener.add_listener("news", lambda *event: heard.set_result(event[3]))
    await sender.execute("NOTIFY news, 'payload'")
    assert await asyncio.wait_for(heard, 30) == "payload"
    # A timeout cancels at the server, over a connection of its own.
    try:
        await sender.execute("SELECT pg_sleep(60)", timeout=0.2)
        raise AssertionError("not cancelled")
    except asyncio.TimeoutError:
        pass
    assert await sender.fetchval("SELECT 7") == 7
    await listener.close()
    await sender.close()


async def pool():
    async with asyncpg.create_pool(URI, min_size=2, max_size=8) as pool:
        async def one(number):
            async with pool.acquire() as session:
                return await session.fetchval("SELECT $1::int", number)

        assert await asyncio.gather(*map(one, range(200))) == list(range(200))


async def encrypted():
    context = ssl.create_default_context(cafile=CA)
    session = await asyncpg.connect(URI.replace("127.0.0.1", "localhost"), ssl=context)
    assert await session.fetchval("SELECT length($1::text)", "z" * 2_000_000) == 2_000_000
    await session.close()


async def main():
    for test in (
        prepared_and_cached,
        types,
        transactions_and_cursors,
        copies,
        notifications_and_timeouts,
        pool,
        encrypted,
    ):
        await test()
        print(test.__name__, "ok")


asyncio.run(main())
