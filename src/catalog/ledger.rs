//! The ledger of copied parts, on the target, in the schema `pgflit`.
//!
//! A part's rows and its line here commit in the same target transaction, so a part is there with
//! the snapshot it was read under, or not at all. Apply reads it to know which streamed changes
//! the copy already contains.
//!
//! | column | meaning |
//! |---|---|
//! | `schema_name`, `table_name` | the table on the source |
//! | `part`, `part_count` | which part of how many, from 0; a table copied as one has part 0 of 1 |
//! | `epoch` | which moment of the source, from 1 |
//! | `snapshot` | what the rows contain: the text of a snapshot, `pg_current_snapshot()`; or `replayed X/Y`, where the standby that was read had paused |
//! | `convergence_lsn` | everything that the rows contain is committed before this position |
//! | `row_count`, `byte_count` | what COPY moved |
//! | `key_range` | which keys the part has, as JSON ([`KeyRange`]); null where it ends with its snapshot |
//!
//! Parts with numbers from `part_count` on are single keys that were copied again, see
//! [`Ledger::keys_of`].
//!
//! `snapshot` had only the first of its two forms in earlier versions of pgflit: their ledgers are
//! understood as they are, and they refuse a ledger with the second.
//!
//! `large_objects` says the same of ranges of OIDs, both ends included; `kept_large_object` names
//! the target's own, which were there before.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use crate::base::ident::quote_literal;
use crate::base::{KeyRange, Lsn, QualifiedName, Visibility};
use crate::pg::{Error, Session};

/// The schema on the target that pgflit keeps its own tables in while a migration runs.
pub const CONTROL_SCHEMA: &str = "pgflit";

const CREATE: &str = "
CREATE SCHEMA IF NOT EXISTS pgflit;
CREATE TABLE IF NOT EXISTS pgflit.part (
    schema_name     text NOT NULL,
    table_name      text NOT NULL,
    part            int NOT NULL,
    part_count      int NOT NULL,
    epoch           int NOT NULL,
    snapshot        text NOT NULL,
    convergence_lsn pg_lsn NOT NULL,
    row_count       bigint NOT NULL,
    byte_count      bigint NOT NULL,
    copied_at       timestamptz NOT NULL DEFAULT now(),
    key_range       text,
    PRIMARY KEY (schema_name, table_name, part)
);
CREATE TABLE IF NOT EXISTS pgflit.step (
    name    text PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS pgflit.entry (
    dump_id int PRIMARY KEY,
    state   text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS pgflit.progress (
    origin    text PRIMARY KEY,
    lsn       pg_lsn NOT NULL,
    committed timestamptz
);
CREATE TABLE IF NOT EXISTS pgflit.large_objects (
    first_oid oid PRIMARY KEY,
    last_oid  oid NOT NULL
);
CREATE TABLE IF NOT EXISTS pgflit.kept_large_object (
    oid oid PRIMARY KEY
);
";

/// A part that is on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of which table.
    pub table: QualifiedName,
    /// Which part of it, from 0.
    pub number: u32,
    /// How many parts the table was cut into.
    pub count: u32,
    /// In which epoch it was read, from 1.
    pub epoch: u32,
    /// What it contains.
    pub visibility: Visibility,
    /// Everything that it contains is committed before this position.
    pub convergence: Lsn,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of COPY data moved.
    pub bytes: u64,
    /// Which keys it has, if changes tell.
    pub range: Option<KeyRange>,
}

impl Part {
    /// Whether it is a single key that was copied again.
    fn is_extra(&self) -> bool {
        self.number >= self.count
    }
}

/// The parts that are on the target, by table.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    parts: HashMap<QualifiedName, Vec<Part>>,
    /// Single keys that were copied again.
    keys: HashMap<QualifiedName, Vec<Part>>,
}

impl Ledger {
    /// The ledger that has these lines.
    pub fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut ledger = Self::default();
        for part in parts {
            let list = match part.is_extra() {
                false => &mut ledger.parts,
                true => &mut ledger.keys,
            };
            list.entry(part.table.clone()).or_default().push(part);
        }
        ledger
    }

    /// The parts of `table` that are on the target, in no order; none if nothing of it is.
    pub fn parts_of(&self, table: &QualifiedName) -> &[Part] {
        self.parts.get(table).map_or(&[], Vec::as_slice)
    }

    /// The single keys of `table` that were copied again, each under a later snapshot than the part
    /// that has it: a row had moved there from another part with values that the stream does not
    /// carry. Of two for one key the later epoch's is true.
    pub fn keys_of(&self, table: &QualifiedName) -> &[Part] {
        self.keys.get(table).map_or(&[], Vec::as_slice)
    }

    /// Whether all of `table` is on the target.
    pub fn is_complete(&self, table: &QualifiedName) -> bool {
        let parts = self.parts_of(table);
        let wanted = parts.first().map(|part| part.count as usize);
        wanted == Some(parts.len())
    }

    /// All of them, in no order; single keys too.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.values().chain(self.keys.values()).flatten()
    }

    /// The tables whose parts are of several moments, until the target has reached
    /// [`Ledger::convergence`].
    pub fn of_several_moments(&self) -> HashSet<&QualifiedName> {
        let is_mixed = |parts: &[Part]| {
            parts
                .windows(2)
                .any(|two| two[0].visibility != two[1].visibility)
        };
        let mixed = self.parts.iter().filter(|(_, parts)| is_mixed(parts));
        mixed
            .map(|(table, _)| table)
            .chain(self.keys.keys())
            .collect()
    }

    /// The position from which on every copied table is consistent with every other.
    pub fn convergence(&self) -> Lsn {
        let all = self.parts().map(|part| part.convergence);
        all.max().unwrap_or_default()
    }

    /// How many moments of the source the copies are of: with more than one, the tables fit
    /// together only when the target has reached [`Ledger::convergence`].
    pub fn moment_count(&self) -> usize {
        let moments: HashSet<_> = self.parts().map(|part| &part.visibility).collect();
        moments.len()
    }
}

/// Makes the control schema on the target, if it is not there.
pub async fn create(target: &Session) -> Result<(), Error> {
    target.batch(CREATE).await?;
    // Only where it is missing: who adds a column waits for all who write.
    let is_older = "SELECT NOT EXISTS (SELECT FROM pg_attribute
                     WHERE attrelid = 'pgflit.part'::regclass AND attname = 'key_range')";
    match target.query_one(is_older, &[]).await?.get(0) {
        true => {
            target
                .batch("ALTER TABLE pgflit.part ADD key_range text")
                .await
        }
        false => Ok(()),
    }
}

/// Whether the step `name`, which runs as one transaction of the target, has committed there.
pub async fn step_is_done(target: &Session, name: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT FROM pgflit.step WHERE name = $1)";
    Ok(target.query_one(sql, &[&name]).await?.get(0))
}

/// The statement that notes the step `name`; to be run in the transaction that does it.
pub fn note_step_sql(name: &str) -> String {
    format!(
        "INSERT INTO pgflit.step (name) VALUES ({})",
        quote_literal(name)
    )
}

/// The statement that notes that the large objects with OIDs from `first` to `last` are on the
/// target; to be run in the transaction that copies them.
pub fn note_large_objects_sql(first: u32, last: u32) -> String {
    format!("INSERT INTO pgflit.large_objects VALUES ({first}, {last})")
}

/// Notes large objects that are the target's own; the control schema must be there.
pub async fn note_kept_large_objects(target: &Session, oids: &[u32]) -> Result<(), Error> {
    let sql = "INSERT INTO pgflit.kept_large_object
               SELECT unnest($1::oid[]) ON CONFLICT DO NOTHING";
    target.execute(sql, &[&oids]).await?;
    Ok(())
}

/// The ranges of OIDs whose large objects are on the target, in order.
pub async fn large_objects(target: &Session) -> Result<Vec<(u32, u32)>, Error> {
    let sql = "SELECT first_oid, last_oid FROM pgflit.large_objects ORDER BY 1";
    let rows = target.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Up to which OID the large objects from `first` to `last` are on the target, if any are.
pub async fn large_objects_until(
    target: &Session,
    first: u32,
    last: u32,
) -> Result<Option<u32>, Error> {
    let sql = "SELECT last_oid FROM pgflit.large_objects
                WHERE first_oid BETWEEN $1 AND $2 ORDER BY 1 DESC LIMIT 1";
    let row = target.query_opt(sql, &[&first, &last]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// What became of an entry of the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// It is on the target.
    Done,
    /// The target would not have it, and can do without.
    LeftOut,
    /// The target refused it; it is tried again.
    Failed,
}

impl EntryState {
    const fn word(self) -> &'static str {
        match self {
            EntryState::Done => "done",
            EntryState::LeftOut => "left out",
            EntryState::Failed => "failed",
        }
    }
}

/// The statement that notes what became of entries of the dump; to be run in the transaction that
/// makes them, whatever its search path.
pub fn note_entries_sql(dump_ids: &[u32], state: EntryState) -> String {
    let ids: Vec<_> = dump_ids.iter().map(u32::to_string).collect();
    format!(
        "INSERT INTO pgflit.entry (dump_id, state)
         SELECT pg_catalog.unnest('{{{}}}'::pg_catalog.int4[]), '{word}'
             ON CONFLICT (dump_id) DO UPDATE SET state = '{word}', done_at = pg_catalog.now()",
        ids.join(","),
        word = state.word()
    )
}

/// What became of the entries of the dump so far, by their numbers.
pub async fn entries(target: &Session) -> Result<HashMap<u32, EntryState>, Error> {
    let sql = "SELECT dump_id, state FROM pgflit.entry";
    let rows = target.query(sql, &[]).await?;
    let state = |word: &str| match word {
        "done" => EntryState::Done,
        "left out" => EntryState::LeftOut,
        _ => EntryState::Failed,
    };
    let entry = |row: &tokio_postgres::Row| {
        let dump_id: i32 = row.get(0);
        (dump_id.cast_unsigned(), state(row.get(1)))
    };
    Ok(rows.iter().map(entry).collect())
}

/// Waits until everything that was committed on the target before is on its disk: the copy's own
/// commits do not wait. What a crash of the target lost before this is not in the ledger after it.
pub async fn make_durable(target: &Session) -> Result<(), Error> {
    target
        .batch(
            "BEGIN; SET LOCAL synchronous_commit = local;
             INSERT INTO pgflit.step (name) VALUES ('durable')
                 ON CONFLICT (name) DO UPDATE SET done_at = now();
             COMMIT",
        )
        .await
}

/// Takes the lines of tables away whose rows a crash of the target has lost; gives their names.
///
/// A crash empties unlogged tables, which the ledger, being logged, does not notice.
pub async fn forget_lost(target: &Session) -> Result<Vec<QualifiedName>, Error> {
    let sql = "SELECT p.schema_name, p.table_name
                 FROM pgflit.part p
                 JOIN pg_namespace n ON n.nspname = p.schema_name
                 JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.table_name
                WHERE c.relpersistence = 'u' AND c.relkind = 'r'
                GROUP BY 1, 2 HAVING sum(p.row_count) > 0";
    let mut lost = Vec::new();
    for row in target.query(sql, &[]).await? {
        let table = QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let sql = format!(
            "DELETE FROM pgflit.part WHERE schema_name = $1 AND table_name = $2
                AND NOT EXISTS (SELECT FROM ONLY {})",
            table.quoted()
        );
        let taken = target.execute(&sql, &[&table.schema, &table.name]).await?;
        if taken > 0 {
            lost.push(table);
        }
    }
    Ok(lost)
}

/// Drops it, with all that it says. What is known of where traffic goes stays: proxies go by it, and
/// nobody else knows it.
pub async fn drop(target: &Session) -> Result<(), Error> {
    // Event triggers of the user's are not for what is ours. Who may not say so meets them.
    let replica = "BEGIN; SET LOCAL session_replication_role = replica";
    if let Err(error) = target.batch(replica).await {
        tracing::debug!("session_replication_role: {error}");
        target.batch("ROLLBACK; BEGIN").await?;
    }
    let dropped = async {
        let sql = drop_statement(target).await?;
        target.batch(&format!("{sql}; COMMIT")).await
    };
    let dropped = dropped.await;
    if dropped.is_err() {
        // The session may be used to find out why.
        if let Err(error) = target.batch("ROLLBACK").await {
            tracing::debug!("rolling back: {error}");
        }
    }
    dropped
}

/// What drops the schema; or, if it says where traffic goes, everything else in it.
async fn drop_statement(target: &Session) -> Result<String, Error> {
    let mut is_known = false;
    for table in ["pgflit.authority", "pgflit.fence"] {
        let there = format!("SELECT pg_catalog.to_regclass('{table}') IS NOT NULL");
        if target.query_one(&there, &[]).await?.get(0) {
            let any = format!("SELECT EXISTS (SELECT FROM {table})");
            is_known |= target.query_one(&any, &[]).await?.get::<_, bool>(0);
        }
    }
    if !is_known {
        return Ok("DROP SCHEMA IF EXISTS pgflit CASCADE".to_owned());
    }
    let sql = "SELECT 'DROP TABLE IF EXISTS ' || pg_catalog.string_agg(
                      pg_catalog.format('%I.%I', n.nspname, c.relname), ', ') || ' CASCADE'
                 FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'pgflit' AND c.relkind = 'r'
                  AND c.relname NOT IN ('authority', 'fence')";
    let statement: Option<String> = target.query_one(sql, &[]).await?.get(0);
    Ok(statement.unwrap_or_default())
}

/// Whether the ledger is there.
pub async fn exists(target: &Session) -> Result<bool, Error> {
    let sql = "SELECT to_regclass('pgflit.part') IS NOT NULL";
    Ok(target.query_one(sql, &[]).await?.get(0))
}

/// What the target says is copied; empty if there is no ledger.
pub async fn read(target: &Session) -> Result<Ledger, Error> {
    if !exists(target).await? {
        return Ok(Ledger::default());
    }
    let sql = "SELECT schema_name, table_name, epoch, snapshot, convergence_lsn::text,
                      row_count, byte_count, part, part_count,
                      to_jsonb(lines) ->> 'key_range' -- an older ledger has none
                 FROM pgflit.part AS lines";
    let mut parts = Vec::new();
    for row in target.query(sql, &[]).await? {
        let table = QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let part = Part {
            number: row.get::<_, i32>(7).cast_unsigned(),
            count: row.get::<_, i32>(8).cast_unsigned(),
            epoch: row.get::<_, i32>(2).cast_unsigned(),
            visibility: parse(&table, row.get(3))?,
            convergence: parse(&table, row.get(4))?,
            rows: row.get::<_, i64>(5).cast_unsigned(),
            bytes: row.get::<_, i64>(6).cast_unsigned(),
            range: match row.get::<_, Option<String>>(9) {
                None => None,
                Some(text) => Some(serde_json::from_str(&text).map_err(|_| odd(&table, &text))?),
            },
            table,
        };
        parts.push(part);
    }
    Ok(Ledger::of(parts))
}

fn parse<T: FromStr>(table: &QualifiedName, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| odd(table, text))
}

fn odd(table: &QualifiedName, text: &str) -> Error {
    Error::Protocol(format!(
        "the ledger pgflit.part on the target says \"{text}\" of {table}"
    ))
}

/// The query that gives a row if part `number` of `table` is on the target.
pub fn part_sql(table: &QualifiedName, number: u32) -> String {
    format!(
        "SELECT 1 FROM pgflit.part WHERE schema_name = {} AND table_name = {} AND part = {number}",
        quote_literal(&table.schema),
        quote_literal(&table.name)
    )
}

/// The statements that take all that is on the target of `table` away, ledger and rows; to be run
/// in one transaction. Without `ONLY` for a partitioned table, whose rows are in its partitions.
pub fn forget_sql(table: &QualifiedName, only: &str) -> String {
    format!(
        "TRUNCATE {only}{}; DELETE FROM pgflit.part WHERE schema_name = {} AND table_name = {}",
        table.quoted(),
        quote_literal(&table.schema),
        quote_literal(&table.name)
    )
}

/// The statement that notes `part`; to be run in the transaction that copies its rows.
pub fn note_sql(part: &Part) -> String {
    format!(
        "INSERT INTO pgflit.part (schema_name, table_name, part, part_count, epoch, snapshot,
                                  convergence_lsn, row_count, byte_count, key_range)
         VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {})",
        quote_literal(&part.table.schema),
        quote_literal(&part.table.name),
        part.number,
        part.count,
        part.epoch,
        quote_literal(&part.visibility.to_string()),
        quote_literal(&part.convergence.to_string()),
        part.rows,
        part.bytes,
        match part.range.as_ref().map(serde_json::to_string) {
            Some(Ok(text)) => quote_literal(&text),
            _ => "NULL".to_owned(),
        },
    )
}
