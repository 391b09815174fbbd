"""psycopg 3: what an application does with a session. Ends with 0 if everything is as without a proxy."""

import os
import threading

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

URI = os.environ["URI"]
CA = os.environ["CA"]


def connect(**settings):
    return psycopg.connect(URI, **settings)


def transactions():
    with connect() as session:
        session.execute("CREATE TEMP TABLE t (id int PRIMARY KEY, v jsonb)")
        with session.transaction():
            session.execute("INSERT INTO t VALUES (1, '{}')")
            try:
                with session.transaction():
                    session.execute("INSERT INTO t VALUES (1, '{}')")
            except psycopg.errors.UniqueViolation:
                pass
            session.execute("INSERT INTO t VALUES (2, '{\"a\": [1, 2]}')")
        rows = session.execute("SELECT v FROM t ORDER BY id").fetchall()
        assert rows == [({},), ({"a": [1, 2]},)], rows


def prepared_in_both_formats():
    for binary in (False, True):
        with connect(prepare_threshold=1, row_factory=dict_row) as session:
            for number in range(20):
                row = session.execute(
                    "SELECT %s::int + 1 AS next, %s::bytea AS b", (number, b"\0\1"), binary=binary
                ).fetchone()
                assert row["next"] == number + 1 and bytes(row["b"]) == b"\0\1", row


def pipeline():
    with connect(autocommit=True) as session:
        session.execute("CREATE TEMP TABLE p (id int)")
        with session.pipeline() as pipeline:
            cursors = [session.execute("INSERT INTO p VALUES (%s) RETURNING id", (i,)) for i in range(500)]
            pipeline.sync()
            assert [cursor.fetchone()[0] for cursor in cursors] == list(range(500))
        try:
            with session.pipeline():
                session.execute("SELECT 1 / %s", (0,))
                session.execute("INSERT INTO p VALUES (-1)")
            raise AssertionError("no error")
        except (psycopg.errors.DivisionByZero, psycopg.errors.PipelineAborted):
            pass
        assert session.execute("SELECT count(*) FROM p").fetchone() == (500,)


def copies():
    with connect() as session, session.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE c (id int, v text)")
        with cursor.copy("COPY c FROM STDIN") as copy:
            for number in range(50_000):
                copy.write_row((number, "x" * 50))
        with cursor.copy("COPY c (id, v) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((-1, "binary"))
        total = 0
        with cursor.copy("COPY (SELECT id FROM c WHERE id >= 0) TO STDOUT") as copy:
            for (number,) in copy.rows():
                total += int(number)
        assert total == sum(range(50_000)), total
        try:
            with cursor.copy("COPY c FROM STDIN") as copy:
                copy.write(b"not a number\tx\n")
            raise AssertionError("no error")
        except psycopg.errors.InvalidTextRepresentation:
            session.rollback()
        assert session.execute("SELECT 1").fetchone() == (1,)


def cursors():
    with connect() as session:
        with session.cursor(name="server_side") as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT generate_series(1, 10000)")
            assert sum(row[0] for row in cursor) == 50_005_000
        with session.cursor() as cursor:
            seen = [row[0] for row in cursor.stream("SELECT generate_series(1, 1000)")]
            assert seen == list(range(1, 1001))


def notifications():
    with connect(autocommit=True) as listener, connect(autocommit=True) as sender:
        listener.execute("LISTEN news")
        sender.execute("SELECT pg_notify('news', 'to all')")
        for notification in listener.notifies(timeout=30, stop_after=1):
            assert notification.payload == "to all", notification
            assert notification.pid == sender.info.backend_pid
            return
        raise AssertionError("no notification")


def cancel():
    with connect(autocommit=True) as session:
        timer = threading.Timer(0.2, lambda: session.cancel_safe(timeout=30))
        timer.start()
        try:
            session.execute("SELECT pg_sleep(60)")
            raise AssertionError("not cancelled")
        except psycopg.errors.QueryCanceled:
            timer.join()
        assert session.execute("SELECT 'still there'").fetchone() == ("still there",)


def large_objects():
    with connect() as session:
        (oid,) = session.execute("SELECT lo_from_bytea(0, %s)", (b"abc" * 100_000,)).fetchone()
        (back,) = session.execute("SELECT lo_get(%s)", (oid,)).fetchone()
        assert bytes(back) == b"abc" * 100_000
        session.execute("SELECT lo_unlink(%s)", (oid,))


def notices_and_settings():
    with connect(autocommit=True, options="-c search_path=pg_catalog -c app.x=1") as session:
        heard = []
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        session.execute("DO $$ BEGIN RAISE NOTICE 'heard'; END $$")
        assert heard == ["heard"], heard
        assert session.execute("SELECT current_setting('app.x')").fetchone() == ("1",)
        session.execute("SET client_encoding = 'LATIN1'")
        assert session.info.encoding == "iso8859-1", session.info.encoding
        assert session.execute("SELECT 'gr\xfc\xdfe'").fetchone() == ("gr\xfc\xdfe",)


def encrypted():
    with connect(sslmode="verify-full", sslrootcert=CA, host="localhost", channel_binding="require") as session:
        assert session.pgconn.ssl_in_use
        assert session.execute("SELECT length(%s)", ("x" * 3_000_000,)).fetchone() == (3_000_000,)


for test in (
    transactions,
    prepared_in_both_formats,
    pipeline,
    copies,
    cursors,
    notifications,
    cancel,
    large_objects,
    notices_and_settings,
    encrypted,
):
    test()
    print(test.__name__, "ok")
