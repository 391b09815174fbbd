//! How the rows of a table are moved: in which format, in which encoding, frozen or not.
//!
//! Decided from what both servers say of the table once its definition is on the target.
//!
//! - *Binary* costs the target less, but a value's bytes mean the same only if the column has the
//!   same type on both sides, its type carries no OIDs of the source (arrays of the user's types,
//!   composites), and the target is no older than the source: newer servers have values that older
//!   ones read as others (infinite intervals, for one). Everything else is text.
//! - *FREEZE* spares the target a second pass over the table. It needs a table that nobody else
//!   sees, so the copy truncates the empty table in its own transaction; a table in several parts
//!   cannot be had that way and is frozen by VACUUM.
//! - *Encoding*: between two UTF-8 databases nothing is converted. Else the rows travel in the
//!   source's encoding, as text, and the target converts them or refuses what it cannot hold.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::catalog::column_types::{self, ColumnTypes, TableShape};
use crate::pg::{self, Session};
use crate::store::TableRow;

/// A table smaller than this is not worth truncating for FREEZE: making its files anew takes
/// longer than a second look at its pages.
const FREEZE_BYTES: u64 = 1 << 20;

/// COPY's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Values as text.
    Text,
    /// Values as their types send them.
    Binary,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FormatChoice {
    /// Binary where that is certain to be exact.
    #[default]
    Auto,
    /// Binary for every table, or an error: `--use-copy-binary`.
    Binary,
}

/// How a table is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// COPY's format.
    pub format: Format,
    /// Truncate, then COPY FREEZE, in one transaction.
    pub freeze: bool,
    /// The encoding that rows travel in, where it is not that of both databases.
    pub encoding: Option<String>,
    /// The encoding that the target is told they are in, where it is not that of both databases.
    ///
    /// Not SQL_ASCII unless its database is: told so, servers take any bytes for text.
    pub written_as: Option<String>,
    /// Whether the table is partitioned on the target.
    pub is_partitioned: bool,
}

impl Method {
    /// `ONLY `, unless the target's table has its rows in partitions.
    pub fn only(&self) -> &'static str {
        match self.is_partitioned {
            true => "",
            false => "ONLY ",
        }
    }
}

/// A table cannot be copied at all, or not as asked for.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// Its definition is not on the target.
    #[error("{0} is not on the target")]
    Missing(QualifiedName),
    /// It lacks a column there.
    #[error("{table} has no column \"{column}\" on the target")]
    MissingColumn {
        /// Which table.
        table: QualifiedName,
        /// Which column.
        column: String,
    },
    /// `--use-copy-binary`, and it cannot be.
    #[error("{table} cannot be copied in binary format: {reason}")]
    NotBinary {
        /// Which table.
        table: QualifiedName,
        /// Which column, and why.
        reason: String,
    },
}

/// What is known of one database.
#[derive(Debug)]
pub struct Side {
    /// The server's major version.
    pub major: u32,
    /// Its encoding, as `server_encoding` says it.
    pub encoding: String,
    /// Its tables and their columns' types.
    pub types: ColumnTypes,
}

/// Asks a server for what [`decide`] needs of it.
pub async fn look(session: &Session) -> Result<Side, pg::Error> {
    let sql = "SELECT current_setting('server_encoding')";
    Ok(Side {
        major: session.server_version().major(),
        encoding: session.query_one(sql, &[]).await?.get(0),
        types: column_types::read(session).await?,
    })
}

/// The method for each of `tables`, by OID. `is_split` says which are copied in parts.
///
/// # Errors
/// All that is wrong, not the first alone.
pub fn decide(
    source: &Side,
    target: &Side,
    tables: &[TableRow],
    choice: FormatChoice,
    is_split: impl Fn(u32) -> bool,
) -> Result<HashMap<u32, Method>, Vec<MethodError>> {
    let mut methods = HashMap::with_capacity(tables.len());
    let mut errors = Vec::new();
    let encoding = match (source.encoding.as_str(), target.encoding.as_str()) {
        ("UTF8", "UTF8") => None,
        (encoding, _) => Some(encoding.to_owned()),
    };
    let written_as = encoding.clone().map(|encoding| match encoding.as_str() {
        "SQL_ASCII" => target.encoding.clone(),
        _ => encoding,
    });
    for table in tables {
        let Some(there) = target.types.table(&table.name) else {
            errors.push(MethodError::Missing(table.name.clone()));
            continue;
        };
        let obstacle = match obstacle(source, target, table, there, encoding.as_deref()) {
            Ok(obstacle) => obstacle,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let format = match (obstacle, choice) {
            (None, _) => Format::Binary,
            (Some(_), FormatChoice::Auto) => Format::Text,
            (Some(reason), FormatChoice::Binary) => {
                let table = table.name.clone();
                errors.push(MethodError::NotBinary { table, reason });
                continue;
            }
        };
        let method = Method {
            format,
            freeze: may_freeze(table, there) && !is_split(table.oid),
            encoding: encoding.clone(),
            written_as: written_as.clone(),
            is_partitioned: there.is_partitioned,
        };
        methods.insert(table.oid, method);
    }
    match errors.is_empty() {
        true => Ok(methods),
        false => Err(errors),
    }
}

fn may_freeze(table: &TableRow, there: &TableShape) -> bool {
    table.bytes >= FREEZE_BYTES && there.may_truncate && !there.is_partitioned
}

/// Why the table cannot be copied in binary; none if it can.
fn obstacle(
    source: &Side,
    target: &Side,
    table: &TableRow,
    there: &TableShape,
    encoding: Option<&str>,
) -> Result<Option<String>, MethodError> {
    let mut obstacle = None;
    let here = source.types.table(&table.name);
    for column in &table.columns {
        let Some(on_target) = there.columns.get(column) else {
            return Err(MethodError::MissingColumn {
                table: table.name.clone(),
                column: column.clone(),
            });
        };
        let on_source = here.and_then(|here| here.columns.get(column));
        let same = on_source.is_some_and(|on_source| {
            let sent = source.types.sent_as(*on_source);
            sent.is_some() && sent == target.types.sent_as(*on_target)
        });
        if !same && obstacle.is_none() {
            obstacle = Some(format!(
                "column \"{column}\" has a type whose binary form is not certain to be the same on both servers"
            ));
        }
    }
    if target.major < source.major {
        obstacle = Some("the target is older than the source".to_owned());
    } else if let Some(encoding) = encoding {
        obstacle = Some(format!(
            "the encodings are {encoding} and {}",
            target.encoding
        ));
    } else if table.columns.is_empty() {
        obstacle = Some("it has no columns".to_owned());
    }
    Ok(obstacle)
}
