# One connection stays across a cutover: its statement, its settings.

import os
import sys

import psycopg

session = psycopg.connect(os.environ["URI"], autocommit=True, prepare_threshold=0)
session.execute("SET app.tenant = 'seven'")
session.execute("SET timezone = 'Asia/Tokyo'")
sql = "SELECT current_setting('port')::int, current_setting('app.tenant'), current_setting('timezone'), %s::int"
for number in range(10):
    before = session.execute(sql, [number]).fetchone()
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    after = session.execute(sql, [number]).fetchone()
    assert after[0] != before[0], "it is where it was"
    assert after[1:] == ("seven", "Asia/Tokyo", number), after
with session.transaction():
    session.execute("INSERT INTO t VALUES (1, 'psycopg')")
