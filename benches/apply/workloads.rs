//! What is applied: seven kinds of transactions, each made once on the source.

use std::fs;
use std::path::Path;
use std::process::Command;

use pgflit::worker::cluster::Cluster;

use crate::shared::Result;
use crate::shared::processes::run_quietly;
use crate::shared::sql::sql;

/// A kind of transactions.
pub(crate) struct Workload {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// For the table's heading.
    pub(crate) what: String,
    /// How many transactions it makes.
    pub(crate) transactions: u64,
    /// How many rows they change.
    pub(crate) rows: u64,
    base: Base,
    make: Make,
}

/// What both sides have before: the same on every cluster, whenever it is made.
enum Base {
    /// What pgbench makes, and this.
    Pgbench(&'static str),
    Sql(String),
}

/// How the transactions are made.
enum Make {
    /// By pgbench, so many by each of four sessions.
    Pgbench { each: u64 },
    /// By a statement on the source.
    Sql(String),
    /// By a COPY of what this query gives.
    Copy { table: &'static str, query: String },
}

/// Sessions of pgbench.
const CLIENTS: u64 = 4;
/// Its scale: 100,000 accounts each.
const SCALE: u64 = 10;

impl Workload {
    /// All of them, at that share of their full size.
    pub(crate) fn all(scale: f64) -> Vec<Self> {
        let of = |full: u64| ((full as f64 * scale) as u64).max(20);
        vec![
            tpc_b(of(200_000)),
            single_inserts(of(300_000)),
            one_update(of(2_000_000)),
            one_copy(of(2_000_000)),
            beside_toast(of(500_000), of(1000)),
            hot_rows(of(1_000_000), 1000),
            many_tables(of(300_000), of(1000)),
        ]
    }

    /// Makes what is there before, in an empty database.
    pub(crate) fn make_base(&self, cluster: &Cluster, database: &str) -> Result<()> {
        match &self.base {
            Base::Sql(script) => sql(cluster, database, script)?,
            Base::Pgbench(script) => {
                let mut pgbench = Command::new(cluster.programs().path("pgbench"));
                pgbench.args(["-i", "-q", "-s", &SCALE.to_string()]);
                run_quietly(pgbench.arg(cluster.socket_uri(database)))?;
                sql(cluster, database, script)?;
            }
        }
        sql(cluster, database, "VACUUM ANALYZE")
    }

    /// Makes the transactions.
    pub(crate) fn make(&self, source: &Cluster, database: &str, folder: &Path) -> Result<()> {
        const QUICKLY: &str = "SET synchronous_commit = off";
        match &self.make {
            Make::Sql(script) => sql_in_turn(source, database, &[QUICKLY, script]),
            Make::Copy { table, query } => {
                let file = source.data().join("rows");
                let file = file.display();
                sql(source, database, &format!("COPY ({query}) TO '{file}'"))?;
                sql(source, database, &format!("COPY {table} FROM '{file}'"))
            }
            Make::Pgbench { each } => {
                let script = folder.join("script");
                fs::write(&script, TPC_B)?;
                let mut pgbench = Command::new(source.programs().path("pgbench"));
                pgbench.env("PGOPTIONS", "-c synchronous_commit=off");
                pgbench.args([
                    "-n",
                    "-M",
                    "prepared",
                    "-c",
                    &CLIENTS.to_string(),
                    "-j",
                    "1",
                ]);
                pgbench.args(["-s", &SCALE.to_string(), "--random-seed", "1"]);
                pgbench.args(["-t", &each.to_string(), "-f"]);
                run_quietly(pgbench.arg(&script).arg(source.socket_uri(database)))
            }
        }
    }
}

/// One session, one statement after the other, each with its own transactions.
fn sql_in_turn(cluster: &Cluster, database: &str, statements: &[&str]) -> Result<()> {
    let mut psql = Command::new(cluster.programs().path("psql"));
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
    psql.args(["-d", &cluster.socket_uri(database)]);
    for statement in statements {
        psql.args(["-c", statement]);
    }
    run_quietly(&mut psql)
}

/// pgbench's own transaction, by one call, so that making it does not take longer than all else.
const TPC_B: &str = r"
\set aid random(1, 100000 * :scale)
\set bid random(1, :scale)
\set tid random(1, 10 * :scale)
\set delta random(-5000, 5000)
SELECT tpc_b(:aid, :bid, :tid, :delta);
";

const TPC_B_FUNCTION: &str =
    "CREATE FUNCTION tpc_b(a int, b int, t int, d int) RETURNS int LANGUAGE plpgsql AS $$
     DECLARE balance int;
     BEGIN
       UPDATE pgbench_accounts SET abalance = abalance + d WHERE aid = a;
       SELECT abalance INTO balance FROM pgbench_accounts WHERE aid = a;
       UPDATE pgbench_tellers SET tbalance = tbalance + d WHERE tid = t;
       UPDATE pgbench_branches SET bbalance = bbalance + d WHERE bid = b;
       INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
         VALUES (t, b, a, d, CURRENT_TIMESTAMP);
       RETURN balance;
     END $$";

fn tpc_b(transactions: u64) -> Workload {
    let each = transactions / CLIENTS;
    Workload {
        name: "W1",
        what: format!("{} TPC-B transactions at scale {SCALE}", each * CLIENTS),
        transactions: each * CLIENTS,
        rows: each * CLIENTS * 4,
        base: Base::Pgbench(TPC_B_FUNCTION),
        make: Make::Pgbench { each },
    }
}

fn single_inserts(count: u64) -> Workload {
    Workload {
        name: "W2",
        what: format!("{count} transactions of one inserted row"),
        transactions: count,
        rows: count,
        base: Base::Sql(
            "CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, note text);
             CREATE PROCEDURE work(n int) LANGUAGE plpgsql AS $$
             BEGIN
               FOR i IN 1..n LOOP
                 INSERT INTO orders VALUES (i, clock_timestamp(), 'order ' || i);
                 COMMIT;
               END LOOP;
             END $$"
                .to_owned(),
        ),
        make: Make::Sql(format!("CALL work({count})")),
    }
}

fn one_update(rows: u64) -> Workload {
    Workload {
        name: "W3",
        what: format!("one UPDATE of {rows} rows"),
        transactions: 1,
        rows,
        base: Base::Sql(format!(
            "CREATE TABLE stock (id int PRIMARY KEY, n int, note text);
             INSERT INTO stock SELECT i, i, 'item ' || md5(i::text)
               FROM generate_series(1, {rows}) i"
        )),
        make: Make::Sql("UPDATE stock SET n = n + 1".to_owned()),
    }
}

fn one_copy(rows: u64) -> Workload {
    Workload {
        name: "W4",
        what: format!("one COPY of {rows} rows"),
        transactions: 1,
        rows,
        base: Base::Sql(
            "CREATE TABLE loaded (id int PRIMARY KEY, n int, at timestamptz, note text)".to_owned(),
        ),
        make: Make::Copy {
            table: "loaded",
            query: format!(
                "SELECT i, i % 1000, timestamptz '2026-01-01' + i * interval '1 second',
                        'item ' || md5(i::text) FROM generate_series(1, {rows}) i"
            ),
        },
    }
}

/// Documents of 100 kB out of line, which the updates leave alone.
fn beside_toast(updates: u64, rows: u64) -> Workload {
    Workload {
        name: "W5",
        what: format!("{updates} updates of small columns beside TOAST values of 100 kB"),
        transactions: updates / 10,
        rows: updates,
        base: Base::Sql(format!(
            "CREATE TABLE papers (id int PRIMARY KEY, n int, at timestamptz, doc text);
             ALTER TABLE papers ALTER doc SET STORAGE EXTERNAL;
             INSERT INTO papers SELECT i, 0, NULL, repeat(md5(i::text), 3125)
               FROM generate_series(1, {rows}) i;
             CREATE PROCEDURE work(n int, rows int) LANGUAGE plpgsql AS $$
             BEGIN
               FOR i IN 1..n LOOP
                 UPDATE papers p SET n = p.n + 1, at = clock_timestamp()
                  WHERE id = 1 + i * 7919::bigint % rows;
                 IF i % 10 = 0 THEN COMMIT; END IF;
               END LOOP;
             END $$"
        )),
        make: Make::Sql(format!("CALL work({updates}, {rows})")),
    }
}

fn hot_rows(updates: u64, rows: u64) -> Workload {
    Workload {
        name: "W6",
        what: format!("{updates} updates of {rows} hot rows, ten a transaction"),
        transactions: updates / 10,
        rows: updates,
        base: Base::Sql(format!(
            "CREATE TABLE counters (id int PRIMARY KEY, n bigint, at timestamptz, note text);
             INSERT INTO counters SELECT i, 0, NULL, 'counter ' || i
               FROM generate_series(1, {rows}) i;
             CREATE PROCEDURE work(n int, rows int) LANGUAGE plpgsql AS $$
             BEGIN
               FOR i IN 1..n LOOP
                 UPDATE counters c SET n = c.n + 1, at = clock_timestamp()
                  WHERE id = 1 + i * 7919::bigint % rows;
                 IF i % 10 = 0 THEN COMMIT; END IF;
               END LOOP;
             END $$"
        )),
        make: Make::Sql(format!("CALL work({updates}, {rows})")),
    }
}

/// Every change hits exactly one row: each table is a queue of rows, of which the last grows, the
/// first goes, and any is updated.
fn many_tables(changes: u64, tables: u64) -> Workload {
    Workload {
        name: "W7",
        what: format!("{changes} inserts, updates and deletes over {tables} tables"),
        // Between one and nine changes each: five on average.
        transactions: changes / 5,
        rows: changes,
        base: Base::Sql(format!(
            "DO $$ BEGIN
               FOR i IN 1..{tables} LOOP
                 EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, n int, note text)', i);
                 EXECUTE format('INSERT INTO t%s SELECT g, g, ''row '' || g
                                   FROM generate_series(1, 100) g', i);
               END LOOP;
             END $$;
             CREATE PROCEDURE work(n int, tables int) LANGUAGE plpgsql AS $$
             DECLARE
               first int[] := array_fill(1, ARRAY[tables]);
               last int[] := array_fill(100, ARRAY[tables]);
               t int; kind float8; left_in int := 5;
             BEGIN
               PERFORM setseed(0.5);
               FOR i IN 1..n LOOP
                 t := 1 + floor(random() * tables);
                 kind := random();
                 IF kind < 0.3 THEN
                   last[t] := last[t] + 1;
                   EXECUTE format('INSERT INTO t%s VALUES (%s, %s, ''new %s'')',
                                  t, last[t], i, i);
                 ELSIF kind < 0.5 AND first[t] < last[t] THEN
                   EXECUTE format('DELETE FROM t%s WHERE id = %s', t, first[t]);
                   first[t] := first[t] + 1;
                 ELSE
                   EXECUTE format('UPDATE t%s SET n = n + 1, note = ''changed %s'' WHERE id = %s',
                                  t, i, first[t] + floor(random() * (last[t] - first[t] + 1)));
                 END IF;
                 left_in := left_in - 1;
                 IF left_in = 0 THEN
                   COMMIT;
                   left_in := 1 + floor(random() * 9);
                 END IF;
               END LOOP;
             END $$"
        )),
        make: Make::Sql(format!("CALL work({changes}, {tables})")),
    }
}
