//! One command for several rows of a table.
//!
//! | rows | command |
//! |---|---|
//! | inserted | `COPY … FROM STDIN`, as text |
//! | updated | `UPDATE ONLY … FROM unnest($1, $2, …)`, an array a column |
//! | deleted | `DELETE FROM ONLY … USING unnest($1, …)` |
//!
//! Each must touch as many rows as it was given. Values go through the input functions of the columns'
//! own types, as those of single rows do.

use crate::cdc::change::Value;
use crate::cdc::sql_line::ident;

use super::net::{Action, Set};
use super::target_table::TargetTable;

/// A command is given rows up to this many bytes: large enough that setting it up is not the cost, and
/// the bound on what is held of its values a second time.
const COMMAND_BYTES: usize = 256 * 1024;

/// Rows of a set that one command takes.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// Row by row.
    pub(super) values: &'a [&'a Value],
    pub(super) width: usize,
    pub(super) count: usize,
}

impl<'a> Set<'a> {
    /// Its rows, as many at a time as a command takes.
    pub(super) fn commands(&'a self) -> Vec<Rows<'a>> {
        let width = self.columns.len();
        let mut commands = Vec::new();
        let (mut from, mut bytes) = (0, 0);
        let rows_to = |from: usize, to: usize| Rows {
            values: &self.values[from * width..to * width],
            width,
            count: to - from,
        };
        for row in 0..self.rows {
            let values = &self.values[row * width..(row + 1) * width];
            bytes += values
                .iter()
                .map(|value| 4 + value.byte_count())
                .sum::<usize>();
            if bytes >= COMMAND_BYTES {
                commands.push(rows_to(from, row + 1));
                (from, bytes) = (row + 1, 0);
            }
        }
        if from < self.rows {
            commands.push(rows_to(from, self.rows));
        }
        commands
    }

    /// The command; none if `table` has not these columns.
    pub(super) fn sql(&self, table: &TargetTable) -> Option<String> {
        let shape = &self.first.prepare.shape;
        let name = format!("{}.{}", ident(&shape.schema), ident(&shape.table));
        let columns: Vec<_> = self.columns.iter().map(|column| ident(column)).collect();
        if self.action == Action::Insert {
            return Some(format!("COPY {name} ({}) FROM STDIN", columns.join(", ")));
        }
        let arrays: Option<Vec<_>> = (1..)
            .zip(&self.columns)
            .map(|(at, column)| Some(format!("${at}::{}[]", table.type_of(column)?)))
            .collect();
        let aliases: Vec<_> = (1..=columns.len()).map(|at| format!("v{at}")).collect();
        let rows = format!(
            "unnest({}) AS pgflit_new ({})",
            arrays?.join(", "),
            aliases.join(", ")
        );
        let (set, key) = columns.split_at(columns.len() - self.keys);
        let (new, of_key) = aliases.split_at(set.len());
        let found: Vec<_> = (key.iter().zip(of_key))
            .map(|(column, alias)| format!("pgflit_old.{column} = pgflit_new.{alias}"))
            .collect();
        let found = found.join(" AND ");
        Some(match self.action {
            Action::Update => {
                let set: Vec<_> = (set.iter().zip(new))
                    .map(|(column, alias)| format!("{column} = pgflit_new.{alias}"))
                    .collect();
                format!(
                    "UPDATE ONLY {name} AS pgflit_old SET {} FROM {rows} WHERE {found}",
                    set.join(", ")
                )
            }
            _ => format!("DELETE FROM ONLY {name} AS pgflit_old USING {rows} WHERE {found}"),
        })
    }
}

impl Rows<'_> {
    /// The values of a column as an array.
    pub(super) fn array(&self, column: usize) -> Vec<u8> {
        let mut array = vec![b'{'];
        for row in 0..self.count {
            if row > 0 {
                array.push(b',');
            }
            match self.values[row * self.width + column].as_bytes() {
                None => array.extend_from_slice(b"NULL"),
                Some(bytes) => {
                    array.push(b'"');
                    escaped(bytes, &mut array, |byte| {
                        matches!(byte, b'"' | b'\\').then_some(byte)
                    });
                    array.push(b'"');
                }
            }
        }
        array.push(b'}');
        array
    }

    /// The rows as COPY reads them.
    pub(super) fn copied(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(COMMAND_BYTES);
        for row in self.values.chunks(self.width.max(1)) {
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    text.push(b'\t');
                }
                match value.as_bytes() {
                    None => text.extend_from_slice(b"\\N"),
                    Some(bytes) => escaped(bytes, &mut text, |byte| match byte {
                        b'\\' => Some(b'\\'),
                        b'\n' => Some(b'n'),
                        b'\r' => Some(b'r'),
                        b'\t' => Some(b't'),
                        _ => None,
                    }),
                }
            }
            text.push(b'\n');
        }
        text
    }
}

/// Appends `bytes`; those with a letter by a backslash and that.
fn escaped(bytes: &[u8], text: &mut Vec<u8>, letter: impl Fn(u8) -> Option<u8>) {
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(letter) = letter(*byte) {
            text.extend_from_slice(&bytes[plain..at]);
            text.extend_from_slice(&[b'\\', letter]);
            plain = at + 1;
        }
    }
    text.extend_from_slice(&bytes[plain..]);
}
