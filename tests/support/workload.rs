//! Random changes of every kind on twenty tables with every replica identity, from several sessions
//! at once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{Database, SOON, eventually};

/// What the end of a migration says whose slot the source cannot decode.
pub(crate) const NOT_DECODED: &str = "error: could not map filenode";

/// Types, each with expressions for its values; NULL is added.
const TYPES: [(&str, &[&str]); 45] = [
    ("smallint", &["-32768", "32767", "0"]),
    ("integer", &["-2147483648", "2147483647", "7"]),
    ("bigint", &["9007199254740993", "-9223372036854775808", "0"]),
    (
        "numeric",
        &[
            "'NaN'",
            "repeat('9', 1000)::numeric",
            "1.10",
            "-0.000000000000000000001",
        ],
    ),
    ("numeric(12,4)", &["123.4567", "-0.0001", "99999999.9999"]),
    ("real", &["1.1", "'NaN'", "'-Infinity'", "1e-37"]),
    ("double precision", &["0.1", "'Infinity'", "1e308", "'-0'"]),
    ("money", &["12.34", "-0.01"]),
    (
        "text",
        &[
            "''",
            "'it''s'",
            r"E'a\tb\nc\\d'",
            "'NULL'",
            "repeat('x', 3000)",
            TOAST,
            "'ö😀'",
        ],
    ),
    ("varchar(40)", &["'a'", "'trailing   '", "''"]),
    ("char(5)", &["'ab'", "''", "'abcde'"]),
    ("name", &["'a name'"]),
    ("\"char\"", &["'x'", "''"]),
    (
        "bytea",
        &[
            r"'\x00ff5c27'",
            "decode(repeat('deadbeef', 2000), 'hex')",
            "''",
        ],
    ),
    ("boolean", &["true", "false"]),
    ("date", &["'infinity'", "'0044-03-15 BC'", "'2026-11-21'"]),
    ("time", &["'24:00:00'", "'12:34:56.123456'"]),
    ("timetz", &["'12:34:56.7+05:30'"]),
    (
        "timestamp",
        &["'-infinity'", "'2026-11-21 01:02:03.000004'"],
    ),
    (
        "timestamptz",
        &[
            "'0044-03-15 12:00:00.123456+00 BC'",
            "'2026-11-21 01:02:03+13'",
        ],
    ),
    (
        "interval",
        &[
            "'1 mon'",
            "'30 days'",
            "'1 year 2 mons -3 days 04:05:06.789'",
        ],
    ),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
    (
        "json",
        &[r#"'{"b":  1, "a": [1e400], "a": null}'"#, "'null'"],
    ),
    ("jsonb", &[r#"'{"b": 1, "a": [null]}'"#, "'\"x\"'"]),
    ("inet", &["'::1/64'", "'10.0.0.1'"]),
    ("cidr", &["'10.0.0.0/8'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("bit varying", &["B'10101'", "B''"]),
    ("bit(5)", &["B'10101'"]),
    ("point", &["'(1.5,-2e-300)'", "'(0,0)'"]),
    ("box", &["'(2,2),(0,0)'", "'(1,4),(0,0)'"]),
    ("path", &["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"]),
    ("circle", &["'<(0,0),1>'"]),
    ("int4range", &["'[1,3)'", "'empty'", "'[,]'"]),
    ("tstzrange", &["'[2026-01-01,infinity)'"]),
    ("text[]", &[r#"'{a,NULL,"NULL","x\"y\\z",""}'"#, "'{}'"]),
    ("integer[]", &["'{{1,2},{3,4}}'", "'[0:1]={1,2}'"]),
    ("mood", &["'sad'", "'so so'"]),
    ("positive", &["0.001", "12.50"]),
    ("pair", &[r#"'(1,"a ""b"", c")'"#, "'(,)'"]),
    ("mood[]", &["'{sad,\"so so\"}'"]),
    ("tsvector", &["'a:1A fat:2 cat'"]),
    ("tsquery", &["'fat & (rat | cat)'"]),
    ("oid", &["4294967295"]),
    ("pg_lsn", &["'16/B374D848'"]),
];

/// Some 9 KB that do not compress: out of line, and left out of an update that does not touch it.
const TOAST: &str =
    "(SELECT string_agg(md5(x::text || random()), '') FROM generate_series(1, 300) x)";

/// Values of number types that are none in JSON.
const NO_JSON_NUMBER: [&str; 3] = ["'NaN'", "'Infinity'", "'-Infinity'"];

/// How the rows of a table are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    TwoColumns,
    AlwaysIdentity,
    GeneratedFirst,
    ByIndex,
    Full,
    FullWithKey,
    Nothing,
    Partitioned,
    Parent,
}

const KINDS: [Kind; 10] = [
    Kind::Key,
    Kind::TwoColumns,
    Kind::AlwaysIdentity,
    Kind::GeneratedFirst,
    Kind::ByIndex,
    Kind::Full,
    Kind::FullWithKey,
    Kind::Nothing,
    Kind::Partitioned,
    Kind::Parent,
];

#[derive(Clone, Debug)]
struct Table {
    name: String,
    kind: Kind,
    /// Name and expressions of the columns besides those of its kind.
    columns: Vec<(String, Vec<&'static str>)>,
}

impl Table {
    /// Makes one of `kind` with some columns; its definition too.
    fn random(at: usize, kind: Kind, beyond_json: bool, random: &mut StdRng) -> (Self, String) {
        let name = format!("\"t{at} it's\"");
        let mut columns = Vec::new();
        let mut definition = String::new();
        for column in 0..random.random_range(2..6) {
            let (type_name, values) = TYPES.choose(random).expect("types");
            let _ = write!(definition, ", c{column} {type_name}");
            let is_json = |value: &&&str| beyond_json || !NO_JSON_NUMBER.contains(*value);
            let values = values.iter().filter(is_json).copied();
            columns.push((format!("c{column}"), values.collect()));
        }
        // One that may be out of line in each, and one whose `=` is not exact.
        definition.push_str(", big text, loose json");
        columns.push(("big".into(), vec!["NULL", TOAST, "'small'", TOAST]));
        columns.push(("loose".into(), vec!["'{}'", "'{ }'", "NULL"]));
        let table = match kind {
            Kind::Key => format!("CREATE TABLE {name} (id int PRIMARY KEY{definition})"),
            Kind::TwoColumns => format!(
                "CREATE TABLE {name} (label text DEFAULT 'l', id int{definition}, PRIMARY KEY (label, id))"
            ),
            Kind::AlwaysIdentity => format!(
                "CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY{definition})"
            ),
            Kind::GeneratedFirst => format!(
                "CREATE TABLE {name} (twice bigint GENERATED ALWAYS AS (id::bigint * 2) STORED,
                     id int{definition}, PRIMARY KEY (id))"
            ),
            Kind::ByIndex => format!(
                "CREATE TABLE {name} (code text NOT NULL DEFAULT 'c', id int NOT NULL{definition});
                 CREATE UNIQUE INDEX \"key {at}\" ON {name} (id, code);
                 ALTER TABLE {name} REPLICA IDENTITY USING INDEX \"key {at}\""
            ),
            Kind::Full => format!(
                "CREATE TABLE {name} (id int{definition}); ALTER TABLE {name} REPLICA IDENTITY FULL"
            ),
            Kind::FullWithKey => format!(
                "CREATE TABLE {name} (id int PRIMARY KEY{definition});
                 ALTER TABLE {name} REPLICA IDENTITY FULL"
            ),
            Kind::Nothing => format!("CREATE TABLE {name} (id int{definition})"),
            Kind::Partitioned => format!(
                "CREATE TABLE {name} (id int PRIMARY KEY{definition}) PARTITION BY RANGE (id);
                 CREATE TABLE p{at}_1 PARTITION OF {name} FOR VALUES FROM (MINVALUE) TO (60);
                 CREATE TABLE p{at}_2 PARTITION OF {name} FOR VALUES FROM (60) TO (140)
                     PARTITION BY HASH (id);
                 CREATE TABLE p{at}_2_0 PARTITION OF p{at}_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                 CREATE TABLE p{at}_2_1 PARTITION OF p{at}_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                 CREATE TABLE p{at}_rest PARTITION OF {name} DEFAULT"
            ),
            Kind::Parent => format!(
                "CREATE TABLE {name} (id int PRIMARY KEY{definition});
                 CREATE TABLE child_{at} (more int DEFAULT 1, PRIMARY KEY (id)) INHERITS ({name})"
            ),
        };
        (
            Self {
                name,
                kind,
                columns,
            },
            table,
        )
    }

    fn value(values: &[&str], random: &mut StdRng) -> String {
        match random.random_range(0..6) {
            0 => "NULL".to_owned(),
            _ => (*values.choose(random).expect("values")).to_owned(),
        }
    }

    /// Some of its rows.
    fn some(&self, random: &mut StdRng) -> String {
        let parts = random.random_range(3..12);
        let part = random.random_range(0..parts);
        match self.kind {
            // Exactly one of rows that may be alike.
            Kind::Full => format!(
                "ctid = (SELECT ctid FROM {} WHERE id % {parts} = {part} LIMIT 1)",
                self.name
            ),
            _ => format!("id % {parts} = {part}"),
        }
    }

    fn insert(&self, random: &mut StdRng) -> String {
        let first = random.random_range(1..200);
        let last = first + random.random_range(0..6);
        let (mut names, mut values) = (Vec::new(), Vec::new());
        if self.kind != Kind::AlwaysIdentity {
            names.push("id".to_owned());
            values.push("g".to_owned());
        }
        for (name, expressions) in &self.columns {
            names.push(name.clone());
            values.push(Self::value(expressions, random));
        }
        let table = match self.kind {
            Kind::Parent if random.random_bool(0.4) => {
                self.name.replace("\"t", "child_").replace(" it's\"", "")
            }
            _ => self.name.clone(),
        };
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM generate_series({first}, {last}) g
             ON CONFLICT DO NOTHING",
            names.join(", "),
            values.join(", ")
        )
    }

    fn update(&self, random: &mut StdRng) -> String {
        let mut sets = Vec::new();
        for (name, expressions) in &self.columns {
            if random.random_bool(0.4) {
                sets.push(format!("{name} = {}", Self::value(expressions, random)));
            }
        }
        // Of the key, in a subtransaction: it may be there already.
        let key = self.kind != Kind::AlwaysIdentity && random.random_bool(0.3);
        if key {
            sets.push(format!("id = id + {}", random.random_range(-40..80)));
        }
        if sets.is_empty() {
            sets.push("big = big".into());
        }
        let update = format!(
            "UPDATE {} SET {} WHERE {}",
            self.name,
            sets.join(", "),
            self.some(random)
        );
        match key {
            true => guarded(&update),
            false => update,
        }
    }

    fn copy(&self, rows: &AtomicU32) -> String {
        let mut lines = String::new();
        let first = rows.fetch_add(20, Ordering::SeqCst);
        for id in first..first + 20 {
            let _ = writeln!(lines, "{id}\tcopied");
        }
        format!("COPY {} (id, big) FROM STDIN;\n{lines}\\.\n", self.name)
    }
}

/// A statement that may fail, in a subtransaction that then ends with it.
fn guarded(statement: &str) -> String {
    format!("DO $do$ BEGIN {statement}; EXCEPTION WHEN unique_violation THEN NULL; END $do$")
}

/// A statement that does nothing until a slot is made.
fn once_decoded(statement: &str) -> String {
    format!(
        "DO $do$ BEGIN IF EXISTS (SELECT FROM pg_replication_slots
             WHERE confirmed_flush_lsn IS NOT NULL) THEN {statement}; END IF; END $do$"
    )
}

/// The sessions that write.
pub(crate) struct Workload {
    stop: Arc<AtomicBool>,
    batches: Arc<AtomicU32>,
    writers: Vec<JoinHandle<()>>,
    source: Database,
}

const WRITERS: u64 = 2;

impl Workload {
    /// Makes the tables and begins to write. The same seed gives the same statements; how the
    /// sessions meet is up to them. Values that JSON has no number for only if `beyond_json`. Nothing
    /// is truncated before a slot is made: its source could not decode it then, see [`NOT_DECODED`].
    pub(crate) fn start(source: &Database, seed: u64, beyond_json: bool) -> Self {
        Self::with(source, seed, beyond_json, false)
    }

    /// Truncates at any time, for who begins anew when the source cannot decode.
    pub(crate) fn start_truncating(source: &Database, seed: u64, beyond_json: bool) -> Self {
        Self::with(source, seed, beyond_json, true)
    }

    fn with(source: &Database, seed: u64, beyond_json: bool, truncating: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut script = String::from(
            "CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
             CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
             CREATE TYPE pair AS (a int, b text);",
        );
        let mut tables = Vec::new();
        for at in 0..2 * KINDS.len() {
            let (table, definition) =
                Table::random(at, KINDS[at % KINDS.len()], beyond_json, &mut random);
            let _ = write!(script, "{definition};");
            for _ in 0..4 {
                let _ = write!(script, "{};", table.insert(&mut random));
            }
            tables.push(table);
        }
        source.sql(&script);
        if seed.is_multiple_of(2) {
            // Transactions of some size are then sent while they are in progress.
            source.sql("ALTER SYSTEM SET logical_decoding_work_mem = '64kB'");
            source.sql("SELECT pg_reload_conf()");
        }
        let (stop, batches) = (Arc::default(), Arc::default());
        // Rows that COPY brings have ids of their own.
        let copied = Arc::new(AtomicU32::new(1_000_000));
        let writers = (0..WRITERS).map(|writer| {
            let mut writer = Writer {
                random: StdRng::seed_from_u64(seed * WRITERS + writer + 1),
                tables: tables.clone(),
                copied: Arc::clone(&copied),
                source: source.clone(),
                truncating,
            };
            let (stop, batches): (Arc<AtomicBool>, Arc<AtomicU32>) =
                (Arc::clone(&stop), Arc::clone(&batches));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    writer.batch();
                    batches.fetch_add(1, Ordering::SeqCst);
                }
            })
        });
        Self {
            writers: writers.collect(),
            stop,
            batches,
            source: source.clone(),
        }
    }

    /// Returns once `more` batches of transactions have been written.
    #[track_caller]
    pub(crate) fn wait_for(&self, more: u32) {
        let begun = self.batches.load(Ordering::SeqCst);
        eventually(4 * SOON, "more is written", || {
            self.batches.load(Ordering::SeqCst) >= begun + more
        });
    }

    /// Ends it. Every kind of change must have happened.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for writer in self.writers.drain(..) {
            writer.join().expect("a writer");
        }
        for kind in ["n_tup_ins", "n_tup_upd", "n_tup_del"] {
            eventually(SOON, kind, || {
                let sum = format!("SELECT sum({kind}) FROM pg_stat_user_tables");
                self.source.number(&sum) > 50
            });
        }
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

struct Writer {
    random: StdRng,
    tables: Vec<Table>,
    copied: Arc<AtomicU32>,
    source: Database,
    /// Without a slot too.
    truncating: bool,
}

impl Writer {
    /// Some transactions in one session. One that fails is part of it.
    fn batch(&mut self) {
        let mut script = String::from("SET lock_timeout = '2s';\n");
        for _ in 0..self.random.random_range(2..8) {
            self.transaction(&mut script);
        }
        let mut child = self
            .source
            .program("psql")
            .args([
                "-X",
                "-q",
                "-d",
                self.source.uri(),
                "-v",
                "ON_ERROR_STOP=0",
                "-f",
                "-",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(script.as_bytes()).expect("psql reads");
        drop(input);
        child.wait().expect("psql ends");
    }

    fn transaction(&mut self, script: &mut String) {
        let alone = self.random.random_bool(0.2);
        if !alone {
            script.push_str("BEGIN;\n");
        }
        let statements = if alone {
            1
        } else {
            self.random.random_range(1..9)
        };
        for at in 0..statements {
            let nested = !alone && self.random.random_bool(0.2);
            if nested {
                let _ = writeln!(script, "SAVEPOINT s{at};");
            }
            self.statement(script);
            if nested {
                self.statement(script);
                let end = ["ROLLBACK TO", "RELEASE"]
                    .choose(&mut self.random)
                    .expect("two");
                let _ = writeln!(script, "{end} s{at};");
            }
        }
        if !alone {
            let end = if self.random.random_bool(0.1) {
                "ROLLBACK"
            } else {
                "COMMIT"
            };
            let _ = writeln!(script, "{end};");
        }
    }

    fn statement(&mut self, script: &mut String) {
        let random = &mut self.random;
        let table = self.tables.choose(random).expect("tables");
        let frozen = table.kind == Kind::Nothing;
        let statement = match random.random_range(0..100) {
            0..35 => table.insert(random),
            35..70 if !frozen => table.update(random),
            70..85 if !frozen => format!("DELETE FROM {} WHERE {}", table.name, table.some(random)),
            85..90 if table.kind != Kind::AlwaysIdentity => {
                script.push_str(&table.copy(&self.copied));
                return;
            }
            90..92 => {
                let other = self.tables.choose(random).expect("tables");
                let restart = ["", " RESTART IDENTITY", " CASCADE"]
                    .choose(random)
                    .expect("three");
                let truncate = format!("TRUNCATE {}, {}{restart}", table.name, other.name);
                match self.truncating {
                    true => truncate,
                    false => once_decoded(&truncate),
                }
            }
            92..94 => "SELECT pg_logical_emit_message(true, 'test', 'content')".to_owned(),
            94..95 => "SELECT pg_logical_emit_message(false, 'test', 'content')".to_owned(),
            _ => table.insert(random),
        };
        let _ = writeln!(script, "{statement};");
    }
}
