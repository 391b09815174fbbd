# One connection stays across a cutover: its statement, its settings.

import asyncio
import os
import sys

import asyncpg


async def main():
    session = await asyncpg.connect(os.environ["URI"])
    await session.execute("SET app.tenant = 'seven'")
    await session.execute("SET timezone = 'Asia/Tokyo'")
    sql = """SELECT current_setting('port')::int, current_setting('app.tenant'),
                    current_setting('timezone'), $1::int"""
    statement = await session.prepare(sql)
    before = await statement.fetchrow(1)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for number in range(10):
        for after in (await statement.fetchrow(number), await session.fetchrow(sql, number)):
            assert after[0] != before[0], "it is where it was"
            assert tuple(after)[1:] == ("seven", "Asia/Tokyo", number), after
    async with session.transaction():
        await session.execute("INSERT INTO t VALUES (2, 'asyncpg')")
    assert session.get_settings().TimeZone == "Asia/Tokyo"


asyncio.run(main())
