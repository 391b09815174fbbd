//! Rows that apply asks for: each has moved into a part that was copied before, with values that the
//! stream does not carry.

use crate::base::QualifiedName;

use super::{Error, Store};

/// The rows of a table with one value of the column by which it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WantedRow {
    /// The table.
    pub table: QualifiedName,
    /// The value.
    pub value: String,
    /// The transaction that moved one there: a snapshot that sees it has the row.
    pub xid: u32,
}

impl Store {
    /// Notes `rows`, durably. Those that are asked for already stay.
    pub fn want_rows(&mut self, rows: &[WantedRow]) -> Result<(), Error> {
        self.write("asking for rows", |transaction| {
            let mut insert =
                transaction.prepare("INSERT OR IGNORE INTO wanted_row VALUES (?1, ?2, ?3, ?4)")?;
            for row in rows {
                insert.execute((&row.table.schema, &row.table.name, &row.value, row.xid))?;
            }
            Ok(())
        })
    }

    /// How many were ever asked for.
    pub fn wanted_row_count(&self) -> Result<u64, Error> {
        self.read("counting the rows that are asked for", |connection| {
            let mut statement = connection.prepare_cached("SELECT count(*) FROM wanted_row")?;
            statement.query_row([], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))
        })
    }

    /// All that were ever asked for; which of them were copied since is in the ledger.
    pub fn wanted_rows(&self) -> Result<Vec<WantedRow>, Error> {
        self.read("reading which rows are asked for", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT schema, name, key_value, xid FROM wanted_row")?;
            let rows = statement.query_map([], |row| {
                let (schema, name): (String, String) = (row.get(0)?, row.get(1)?);
                Ok(WantedRow {
                    table: QualifiedName::new(schema, name),
                    value: row.get(2)?,
                    xid: row.get(3)?,
                })
            })?;
            rows.collect()
        })
    }
}
