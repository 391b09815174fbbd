//! The messages of an answer: the manual's "Message Formats".

use bytes::BufMut;

use crate::wire::frame;

/// What a column holds; its type as drivers know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`.
    Text,
    /// `int4`.
    Int4,
    /// `int8`.
    Int8,
    /// `numeric`, without a fraction.
    Numeric,
}

impl Kind {
    /// Object identifier and length of the type (`pg_type.dat`).
    fn oid_and_length(self) -> (u32, i16) {
        match self {
            Kind::Text => (25, -1),
            Kind::Int4 => (23, 4),
            Kind::Int8 => (20, 8),
            Kind::Numeric => (1700, -1),
        }
    }
}

/// A column's name and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// As PgBouncer calls it, where it has it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A column of text.
pub const fn text(name: &'static str) -> Column {
    let kind = Kind::Text;
    Column { name, kind }
}

/// A column of numbers that fit into 32 bits.
pub const fn int4(name: &'static str) -> Column {
    let kind = Kind::Int4;
    Column { name, kind }
}

/// A column of numbers.
pub const fn int8(name: &'static str) -> Column {
    let kind = Kind::Int8;
    Column { name, kind }
}

/// A column of counters.
pub const fn numeric(name: &'static str) -> Column {
    let kind = Kind::Numeric;
    Column { name, kind }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// For columns of text.
    Text(String),
    /// For the others. What a type cannot hold is its largest number.
    Number(u64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Cell::Number(number as u64)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Cell::Number(number.into())
    }
}

impl From<u16> for Cell {
    fn from(number: u16) -> Self {
        Cell::Number(number.into())
    }
}

impl From<bool> for Cell {
    fn from(is: bool) -> Self {
        Cell::Number(is.into())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// How values are written: for each column, or for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Formats {
    /// As text.
    #[default]
    Text,
    /// As their types are sent.
    Binary,
    /// Whether each column is binary.
    Each(Vec<bool>),
}

impl Formats {
    fn is_binary(&self, column: usize) -> bool {
        match self {
            Formats::Text => false,
            Formats::Binary => true,
            Formats::Each(each) => each.get(column).copied().unwrap_or(false),
        }
    }
}

/// RowDescription.
pub fn row_description(out: &mut Vec<u8>, columns: &[Column], formats: &Formats) {
    message(out, b'T', |out| {
        out.put_u16(columns.len() as u16);
        for (at, column) in columns.iter().enumerate() {
            let (oid, length) = column.kind.oid_and_length();
            cstr(out, column.name);
            // Of no table.
            out.put_u32(0);
            out.put_u16(0);
            out.put_u32(oid);
            out.put_i16(length);
            out.put_i32(-1);
            out.put_u16(formats.is_binary(at).into());
        }
    });
}

/// DataRow.
pub fn data_row(out: &mut Vec<u8>, columns: &[Column], row: &[Cell], formats: &Formats) {
    message(out, b'D', |out| {
        out.put_u16(columns.len() as u16);
        let cells = row.iter().chain(std::iter::repeat(&Cell::Null));
        for (at, (column, cell)) in columns.iter().zip(cells).enumerate() {
            value(out, column.kind, cell, formats.is_binary(at));
        }
    });
}

/// CommandComplete.
pub fn command_complete(out: &mut Vec<u8>, tag: &str) {
    message(out, b'C', |out| cstr(out, tag));
}

/// ReadyForQuery.
pub fn ready(out: &mut Vec<u8>, is_in_transaction: bool) {
    let status = match is_in_transaction {
        true => b'T',
        false => b'I',
    };
    message(out, b'Z', |out| out.put_u8(status));
}

/// ParameterStatus.
pub fn parameter_status(out: &mut Vec<u8>, name: &str, value: &str) {
    message(out, b'S', |out| {
        cstr(out, name);
        cstr(out, value);
    });
}

/// ParameterDescription of a statement without any.
pub fn no_parameters(out: &mut Vec<u8>) {
    message(out, b't', |out| out.put_u16(0));
}

/// AuthenticationOk.
pub fn authentication_ok(out: &mut Vec<u8>) {
    message(out, b'R', |out| out.put_u32(0));
}

/// A message that is its type alone.
pub fn bare(out: &mut Vec<u8>, tag: u8) {
    message(out, tag, |_| {});
}

fn message(out: &mut Vec<u8>, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.put_slice(&[tag, 0, 0, 0, 0]);
    body(out);
    // A row has some twenty texts of ten kilobytes at most.
    let header = frame::header(tag, out.len() - start - frame::HEADER_BYTES);
    if let (Ok(header), Some(place)) = (header, out.get_mut(start..start + frame::HEADER_BYTES)) {
        place.copy_from_slice(&header);
    }
}

fn cstr(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|byte| *byte != 0));
    out.put_u8(0);
}

fn value(out: &mut Vec<u8>, kind: Kind, cell: &Cell, is_binary: bool) {
    match cell {
        Cell::Null => out.put_i32(-1),
        Cell::Text(text) => bytes(out, text.as_bytes()),
        Cell::Number(number) => {
            let number = match kind {
                Kind::Int4 => (*number).min(i32::MAX as u64),
                Kind::Int8 => (*number).min(i64::MAX as u64),
                Kind::Text | Kind::Numeric => *number,
            };
            match kind {
                Kind::Int4 if is_binary => bytes(out, &(number as u32).to_be_bytes()),
                Kind::Int8 if is_binary => bytes(out, &number.to_be_bytes()),
                Kind::Numeric if is_binary => bytes(out, &binary_numeric(number)),
                _ => bytes(out, number.to_string().as_bytes()),
            }
        }
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.put_slice(bytes);
}

/// As `numeric_send` of PostgreSQL's `src/backend/utils/adt/numeric.c` writes it: digits to the
/// base 10000, the first of them the most significant.
fn binary_numeric(number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    let mut rest = number;
    while rest > 0 {
        digits.push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    let weight = digits.len().saturating_sub(1) as u16;
    // Zeros at the end are left out; the weight says how many.
    let digits: Vec<u16> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
    let mut out = Vec::with_capacity(8 + 2 * digits.len());
    out.put_u16(digits.len() as u16);
    out.put_u16(weight);
    // Positive, and nothing behind the point.
    out.put_u16(0);
    out.put_u16(0);
    for digit in digits.iter().rev() {
        out.put_u16(*digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_protocol::message::backend::Message;

    #[test]
    fn clients_read_what_is_written() {
        let columns = [text("name"), int4("few"), int8("more"), numeric("sum")];
        let row = [
            Cell::from("a\0b"),
            Cell::from(u64::MAX),
            Cell::from(7_u64),
            Cell::from(u64::MAX),
        ];
        let mut out = Vec::new();
        row_description(&mut out, &columns, &Formats::Text);
        data_row(&mut out, &columns, &row, &Formats::Text);
        data_row(&mut out, &columns, &[], &Formats::Binary);
        command_complete(&mut out, "SHOW 1");
        ready(&mut out, false);
        let mut bytes = bytes::BytesMut::from(&out[..]);
        let mut tags = String::new();
        while let Some(message) = Message::parse(&mut bytes).expect("valid") {
            tags.push(match message {
                Message::RowDescription(_) => 'T',
                Message::DataRow(_) => 'D',
                Message::CommandComplete(body) => {
                    assert_eq!(body.tag().expect("a tag"), "SHOW 1");
                    'C'
                }
                Message::ReadyForQuery(body) => {
                    assert_eq!(body.status(), b'I');
                    'Z'
                }
                _ => '?',
            });
        }
        assert_eq!(tags, "TDDCZ");
        let said = String::from_utf8_lossy(&out);
        assert!(said.contains("2147483647") && said.contains("18446744073709551615"));
    }

    #[test]
    fn numbers_are_sent_as_the_server_would() {
        for (number, expected) in [
            (0, &[0, 0, 0, 0][..]),
            (1, &[1, 0, 0, 0, 1]),
            (10_000, &[1, 1, 0, 0, 1]),
            (123_456_789, &[3, 2, 0, 0, 1, 2345, 6789]),
            (20_000_000, &[1, 1, 0, 0, 2000]),
        ] {
            let sent = binary_numeric(number);
            let sent: Vec<u16> = sent
                .chunks(2)
                .map(|two| u16::from_be_bytes([two[0], two[1]]))
                .collect();
            assert_eq!(sent, expected, "{number}");
        }
    }
}
