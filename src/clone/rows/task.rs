//! What one COPY moves.

use std::fmt;
use std::sync::Arc;

use crate::base::ident::{quote_ident, quote_literal};
use crate::catalog::ledger;
use crate::clone::epoch::import_sql;
use crate::clone::method::{Format, Method};
use crate::clone::standby::still_paused_sql;
use crate::store::{PartRow, TableRow};

use super::reader::Reader;

/// A table, or one part of it.
#[derive(Debug, Clone)]
pub struct Task {
    /// The table.
    pub table: Arc<TableRow>,
    /// Which part; none for a table that is copied as one.
    pub part: Option<PartRow>,
    /// How many parts the table is copied in.
    pub part_count: u32,
    /// How.
    pub method: Method,
    /// Where it is read, by its place among the pool's readers; by which it is of one moment.
    pub reader: usize,
    /// Whether what the target has of the part goes, in the same transaction.
    pub replaces: bool,
}

/// The name for logs and errors: the table, and which part of it.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            None => write!(f, "{}", self.table.name),
            Some(part) => write!(
                f,
                "{} part {} of {}",
                self.table.name,
                part.number + 1,
                self.part_count
            ),
        }
    }
}

impl Task {
    /// Its number in the ledger.
    pub fn number(&self) -> u32 {
        self.part.as_ref().map_or(0, |part| part.number)
    }

    /// How much there is to read, as far as is known.
    pub fn bytes(&self) -> u64 {
        self.part
            .as_ref()
            .map_or(self.table.bytes, |part| part.bytes)
    }

    fn columns(&self) -> String {
        let columns = self.table.columns.iter().map(|name| quote_ident(name));
        let columns: Vec<_> = columns.collect();
        columns.join(", ")
    }

    /// The table with the columns that are copied. A list of no columns cannot be written; left
    /// out, it means the same.
    fn with_columns(&self) -> String {
        match self.table.columns.is_empty() {
            true => self.table.name.quoted(),
            false => format!("{} ({})", self.table.name.quoted(), self.columns()),
        }
    }

    /// Reads it on the source, in one go: takes the snapshot over, copies, looks whether the table
    /// is still the one that the snapshot knows, and lets its lock go.
    ///
    /// The look: whether the name means the table of the catalog, and whether its file is the one
    /// of the snapshot. `pg_class` is read under the snapshot, the functions tell what is so now,
    /// and since the COPY began its lock has kept it so.
    ///
    /// Of a standby, also whether replay is still paused.
    pub(super) fn read_sql(&self, reader: &Reader) -> String {
        let what = match &self.part {
            None => self.with_columns(),
            Some(part) => format!(
                "(SELECT {} FROM ONLY {} WHERE {})",
                self.columns(),
                self.table.name.quoted(),
                part.condition
            ),
        };
        // A plan that reads the whole table for each of its parts, or starts workers of its own,
        // is never what several connections at a time want.
        let settings = match &self.part {
            None => "",
            Some(_) => {
                "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; "
            }
        };
        let encodings = self.method.encodings.as_ref();
        let encoding = encodings.map(|encodings| encodings.read.as_str());
        format!(
            "{}; {settings}COPY {what} TO STDOUT{}; \
             SELECT pg_catalog.to_regclass({})::pg_catalog.oid = {oid}, \
                    (SELECT c.relfilenode = pg_catalog.pg_relation_filenode(c.oid) \
                       FROM pg_catalog.pg_class c WHERE c.oid = {oid}), {paused}; COMMIT",
            import_sql(&reader.snapshot_id),
            self.options(false, encoding),
            quote_literal(&self.table.name.quoted()),
            oid = self.table.oid,
            paused = match reader.is_standby() {
                true => still_paused_sql(),
                false => "true",
            },
        )
    }

    /// Begins its transaction on the target and asks whether it is empty there, and whether the
    /// ledger has it. Only for a table that is copied as one.
    pub(super) fn look_sql(&self) -> String {
        let name = self.table.name.quoted();
        let lock = match self.method.freeze {
            true => format!("LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE; "),
            false => String::new(),
        };
        format!(
            "BEGIN; {lock}SELECT EXISTS (SELECT FROM {}{name}), EXISTS ({})",
            self.method.only(),
            ledger::part_sql(&self.table.name, self.number()),
        )
    }

    /// Writes it on the target.
    pub(super) fn write_sql(&self) -> String {
        let name = self.table.name.quoted();
        let before = match (&self.part, self.method.freeze) {
            (Some(part), _) if self.replaces => format!(
                "BEGIN; DELETE FROM {}{name} WHERE {}; ",
                self.method.only(),
                part.condition
            ),
            (Some(_), _) => "BEGIN; ".to_owned(),
            (None, true) => format!("TRUNCATE ONLY {name}; "),
            (None, false) => String::new(),
        };
        let encodings = self.method.encodings.as_ref();
        let encoding = encodings.map(|encodings| encodings.written.as_str());
        format!(
            "{before}COPY {} FROM STDIN{}",
            self.with_columns(),
            self.options(self.method.freeze, encoding)
        )
    }

    fn options(&self, freeze: bool, encoding: Option<&str>) -> String {
        let format = self.method.format;
        let mut options = Vec::new();
        if format == Format::Binary {
            options.push("FORMAT binary".to_owned());
        }
        if freeze {
            options.push("FREEZE".to_owned());
        }
        if let Some(encoding) = encoding {
            options.push(format!("ENCODING {}", quote_literal(encoding)));
        }
        match options.is_empty() {
            true => String::new(),
            false => format!(" ({})", options.join(", ")),
        }
    }
}
