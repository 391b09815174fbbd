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

use bytes::{BufMut, BytesMut};

use crate::cdc::sql_line::ident;

use super::block::Field;
use super::net::{Action, Set};
use super::target_table::TargetTable;

/// A command is given rows up to this many bytes: large enough that setting it up is not the cost, and
/// the bound on what is sent of them at once.
const COMMAND_BYTES: usize = 256 * 1024;

/// Rows of a set that one command takes.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// Row by row.
    pub(super) values: &'a [Field<'a>],
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
                .map(|field| 4 + field.text.map_or(0, <[u8]>::len))
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
    fn column(&self, column: usize) -> impl Iterator<Item = Field<'_>> {
        self.values.iter().skip(column).step_by(self.width).copied()
    }

    /// Appends the values of a column as an array.
    pub(super) fn write_array(&self, column: usize, array: &mut BytesMut) {
        array.put_u8(b'{');
        for (row, field) in self.column(column).enumerate() {
            if row > 0 {
                array.put_u8(b',');
            }
            let Some(text) = field.text else {
                array.extend_from_slice(b"NULL");
                continue;
            };
            array.put_u8(b'"');
            write(text, field.is_plain, array, |byte| {
                matches!(byte, b'"' | b'\\').then_some(byte)
            });
            array.put_u8(b'"');
        }
        array.put_u8(b'}');
    }

    /// Appends the rows as COPY reads them.
    pub(super) fn write_copied(&self, rows: &mut BytesMut) {
        for row in self.values.chunks(self.width.max(1)) {
            for (at, field) in row.iter().enumerate() {
                if at > 0 {
                    rows.put_u8(b'\t');
                }
                let Some(text) = field.text else {
                    rows.extend_from_slice(b"\\N");
                    continue;
                };
                write(text, field.is_plain, rows, |byte| match byte {
                    b'\\' => Some(b'\\'),
                    b'\n' => Some(b'n'),
                    b'\r' => Some(b'r'),
                    b'\t' => Some(b't'),
                    _ => None,
                });
            }
            rows.put_u8(b'\n');
        }
    }
}

/// Appends `text`; unless it is plain, those of its bytes that have a letter by a backslash and that.
fn write(text: &[u8], is_plain: bool, to: &mut BytesMut, letter: impl Fn(u8) -> Option<u8>) {
    if is_plain {
        return to.extend_from_slice(text);
    }
    let mut written = 0;
    for (at, byte) in text.iter().enumerate() {
        if let Some(letter) = letter(*byte) {
            to.extend_from_slice(&text[written..at]);
            to.extend_from_slice(&[b'\\', letter]);
            written = at + 1;
        }
    }
    to.extend_from_slice(&text[written..]);
}
