//! Lines exactly as receive writes them, of which the JSON of each value goes into SQL as it is.
//!
//! Nearly all lines are rows, begins and commits, and nearly all of them were written by
//! [`json_line::write`](crate::cdc::json_line::write): keys in one order, no spaces, numbers and
//! strings in their one shortest form. Such a line is looked through once, without taking a value
//! out. Of any other (made by hand, with a value in base64, of a later version, or damaged) nothing
//! is said here, and the general reader decides: what is read here, it would read alike.

use crate::cdc::change::{Operation, RowChange, Value};
use crate::cdc::json_line::write_json;
use crate::cdc::json_string::plain_length;

/// What a line says.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// `B`, and what stands behind its action.
    Begin(&'a [u8]),
    /// `I`, `U`, `D`.
    Row(Row<'a>),
    /// `C`, and what stands behind its action.
    Commit(&'a [u8]),
}

/// One row changed. An insert has no old values, a delete no new ones; others as they must have.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) operation: Operation,
    pub(super) rel: u32,
    pub(super) old: Option<&'a [Cell]>,
    pub(super) new: Option<&'a [Cell]>,
    text: &'a [u8],
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// NULL.
    Null,
    /// Not carried.
    Unchanged,
    /// JSON in the row's text, from byte `start` to byte `end`.
    Json { start: usize, end: usize },
}

impl Row<'_> {
    /// The JSON of a value; of one that is not carried, which no SQL line holds, null.
    pub(super) fn json(&self, cell: Cell) -> &[u8] {
        match cell {
            Cell::Json { start, end } => self.text.get(start..end).unwrap_or(b"null"),
            Cell::Null | Cell::Unchanged => b"null",
        }
    }

    /// Whether two values are the same: each text has one JSON.
    pub(super) fn same(&self, one: Cell, other: Cell) -> bool {
        match (one, other) {
            (Cell::Json { .. }, Cell::Json { .. }) => self.json(one) == self.json(other),
            _ => one == other,
        }
    }
}

/// Room for the values of a row, kept from line to line. As large as the longest so far.
#[derive(Debug, Default)]
pub(super) struct Cells {
    old: Vec<Cell>,
    new: Vec<Cell>,
    /// The JSON of the values of a row that was read by the general reader.
    text: Vec<u8>,
}

impl Cells {
    /// What `line` says; none if it is not exactly as receive writes it.
    pub(super) fn read<'a>(&'a mut self, line: &'a [u8]) -> Option<Line<'a>> {
        let mut scan = Scan { line, at: 0 };
        scan.literal(br#"{"action":""#)?;
        let action = *scan.rest().first()?;
        scan.at += 1;
        scan.literal(br#"","#)?;
        let comment = scan.at;
        scan.literal(br#""xid":"#)?;
        scan.number()?;
        scan.literal(br#","lsn":"#)?;
        scan.lsn()?;
        let operation = match action {
            b'I' => Operation::Insert,
            b'U' => Operation::Update,
            b'D' => Operation::Delete,
            b'B' | b'C' => {
                if action == b'B' && scan.literal(br#","commit_lsn":"#).is_some() {
                    scan.lsn()?;
                }
                if scan.literal(br#","timestamp":"#).is_some() {
                    scan.string()?;
                }
                scan.end()?;
                let comment = &line[comment..];
                return Some(match action {
                    b'B' => Line::Begin(comment),
                    _ => Line::Commit(comment),
                });
            }
            _ => return None,
        };
        scan.literal(br#","rel":"#)?;
        let rel = scan.number()?;
        let has_old = scan.literal(br#","old":["#).is_some();
        if has_old {
            scan.cells(&mut self.old)?;
        }
        let has_new = scan.literal(br#","new":["#).is_some();
        if has_new {
            scan.cells(&mut self.new)?;
        }
        scan.end()?;
        match (operation, has_old, has_new) {
            (Operation::Insert, false, true)
            | (Operation::Update, _, true)
            | (Operation::Delete, true, false) => {}
            _ => return None,
        }
        Some(Line::Row(Row {
            operation,
            rel,
            old: has_old.then_some(&*self.old),
            new: has_new.then_some(&*self.new),
            text: line,
        }))
    }

    /// A row that the general reader has read.
    pub(super) fn of(&mut self, row: &RowChange) -> Row<'_> {
        self.text.clear();
        let sides = [(&row.old, &mut self.old), (&row.new, &mut self.new)];
        for (values, cells) in sides {
            cells.clear();
            for value in values.iter().flatten() {
                let start = self.text.len();
                cells.push(match value {
                    Value::Null => Cell::Null,
                    Value::Unchanged => Cell::Unchanged,
                    Value::Text(_) | Value::Bytes(_) => {
                        write_json(value, &mut self.text);
                        let end = self.text.len();
                        Cell::Json { start, end }
                    }
                });
            }
        }
        Row {
            operation: row.operation,
            rel: row.rel,
            old: row.old.is_some().then_some(&*self.old),
            new: row.new.is_some().then_some(&*self.new),
            text: &self.text,
        }
    }
}

/// A line, looked through up to `at`. Each step is none if something else stands there.
struct Scan<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.rest().starts_with(literal).then(|| {
            self.at += literal.len();
        })
    }

    /// The line ends with its brace, and all of it is UTF-8.
    #[inline]
    fn end(&mut self) -> Option<()> {
        self.literal(b"}")?;
        (self.at == self.line.len() && std::str::from_utf8(self.line).is_ok()).then_some(())
    }

    /// A number in its shortest form.
    #[inline]
    fn number(&mut self) -> Option<u32> {
        let rest = self.rest();
        let digits = rest
            .iter()
            .take(10)
            .take_while(|byte| byte.is_ascii_digit());
        let mut number: u64 = 0;
        let mut count = 0;
        for digit in digits {
            number = number * 10 + u64::from(digit - b'0');
            count += 1;
        }
        if count == 0 || (count > 1 && rest.first() == Some(&b'0')) {
            return None;
        }
        self.at += count;
        u32::try_from(number).ok()
    }

    /// An LSN in quotes, in its shortest form.
    #[inline]
    fn lsn(&mut self) -> Option<()> {
        self.literal(b"\"")?;
        self.hexadecimal()?;
        self.literal(b"/")?;
        self.hexadecimal()?;
        self.literal(b"\"")
    }

    #[inline]
    fn hexadecimal(&mut self) -> Option<()> {
        let rest = self.rest();
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        let count = rest
            .iter()
            .take(8)
            .take_while(|byte| is_digit(byte))
            .count();
        if count == 0 || (count > 1 && rest.first() == Some(&b'0')) {
            return None;
        }
        self.at += count;
        Some(())
    }

    /// A string in its shortest form: only what must be is escaped, and each as serde_json does it.
    fn string(&mut self) -> Option<()> {
        self.literal(b"\"")?;
        loop {
            let rest = self.rest();
            let plain = plain_length(rest);
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<()> {
        let rest = self.rest();
        match rest {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 1,
            [b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', ..]
            | [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => self.at += 5,
            _ => return None,
        }
        Some(())
    }

    /// Values up to the closing bracket.
    fn cells(&mut self, cells: &mut Vec<Cell>) -> Option<()> {
        cells.clear();
        if self.literal(b"]").is_some() {
            return Some(());
        }
        loop {
            let start = self.at;
            cells.push(match self.rest().first()? {
                b'"' => {
                    self.string()?;
                    let end = self.at;
                    Cell::Json { start, end }
                }
                b'n' => {
                    self.literal(b"null")?;
                    Cell::Null
                }
                _ => {
                    self.literal(br#"{"unchanged":true}"#)?;
                    Cell::Unchanged
                }
            });
            if self.literal(b",").is_none() {
                return self.literal(b"]");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Lsn;
    use crate::cdc::change::{Begin, Commit, Event};
    use crate::cdc::json_line;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(Value::Unchanged),
            any::<String>().prop_map(Value::Text),
            "[\\x00-\\x7f]{0,9}".prop_map(Value::Text),
        ]
    }

    /// What is read exactly, in words that can be compared.
    fn told(line: &[u8]) -> Option<String> {
        let json = |row: &Row<'_>, cells: Option<&[Cell]>| {
            let cells = cells?.iter().map(|cell| match cell {
                Cell::Unchanged => "unchanged".to_owned(),
                cell => String::from_utf8_lossy(row.json(*cell)).into_owned(),
            });
            Some(cells.collect::<Vec<_>>())
        };
        Some(match Cells::default().read(line)? {
            Line::Begin(comment) => format!("BEGIN {{{}", String::from_utf8_lossy(comment)),
            Line::Commit(comment) => format!("COMMIT {{{}", String::from_utf8_lossy(comment)),
            Line::Row(row) => format!(
                "{:?} {} {:?} {:?}",
                row.operation,
                row.rel,
                json(&row, row.old),
                json(&row, row.new)
            ),
        })
    }

    /// The same by the general reader; none of what is no such line.
    fn told_generally(line: &[u8]) -> Option<String> {
        let json = |values: &Option<Vec<Value>>| {
            let values = values.as_ref()?.iter().map(|value| match value {
                Value::Unchanged => "unchanged".to_owned(),
                value => serde_json::to_string(value).expect("JSON"),
            });
            Some(values.collect::<Vec<_>>())
        };
        Some(match json_line::read(line).ok()? {
            Event::Begin(begin) => {
                format!("BEGIN {}", serde_json::to_string(&begin).expect("JSON"))
            }
            Event::Commit(commit) => {
                format!("COMMIT {}", serde_json::to_string(&commit).expect("JSON"))
            }
            Event::Row(row) => format!(
                "{:?} {} {:?} {:?}",
                row.operation,
                row.rel,
                json(&row.old),
                json(&row.new)
            ),
            _ => return None,
        })
    }

    fn event() -> impl Strategy<Value = Event> {
        let values = || proptest::collection::vec(value(), 0..5);
        let row = (
            any::<u32>(),
            any::<u64>(),
            any::<u32>(),
            0..4,
            values(),
            values(),
        );
        let row = row.prop_map(|(xid, lsn, rel, kind, old, new)| {
            let (operation, old, new) = match kind {
                0 => (Operation::Insert, None, Some(new)),
                1 => (Operation::Update, None, Some(new)),
                2 => (Operation::Update, Some(old), Some(new)),
                _ => (Operation::Delete, Some(old), None),
            };
            let lsn = Lsn::new(lsn);
            Event::Row(RowChange {
                operation,
                xid,
                lsn,
                rel,
                old,
                new,
            })
        });
        let boundary = (
            any::<u32>(),
            any::<u64>(),
            any::<Option<u64>>(),
            any::<Option<String>>(),
            any::<bool>(),
        );
        let boundary = boundary.prop_map(|(xid, lsn, commit_lsn, timestamp, begins)| {
            let lsn = Lsn::new(lsn);
            match begins {
                true => Event::Begin(Begin {
                    xid,
                    lsn,
                    commit_lsn: commit_lsn.map(Lsn::new),
                    timestamp,
                }),
                false => Event::Commit(Commit {
                    xid,
                    lsn,
                    timestamp,
                }),
            }
        });
        prop_oneof![3 => row, 1 => boundary]
    }

    fn written(event: &Event) -> Vec<u8> {
        let mut line = Vec::new();
        json_line::write(event, &mut line);
        line.pop();
        line
    }

    proptest! {
        #[test]
        fn what_receive_writes_is_read_exactly_and_says_the_same(event in event()) {
            let line = written(&event);
            let told = told(&line);
            prop_assert!(told.is_some(), "{}", String::from_utf8_lossy(&line));
            prop_assert_eq!(told, told_generally(&line));
        }

        #[test]
        fn what_is_read_exactly_of_a_spoiled_line_is_what_the_general_reader_reads(
            event in event(),
            spoils in proptest::collection::vec(
                (any::<prop::sample::Index>(), prop_oneof![
                    any::<u8>(),
                    prop::sample::select(b"\"\\/u0{}[],:abfnrtCDIUBx1 \x7f\x80\xff".to_vec()),
                ], 0..3),
                1..4,
            ),
        ) {
            let mut line = written(&event);
            for (at, byte, how) in spoils {
                let at = at.index(line.len());
                match how {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    _ => { line.remove(at); }
                }
            }
            if let Some(told) = told(&line) {
                prop_assert_eq!(Some(told), told_generally(&line));
            }
        }

        #[test]
        fn hostile_bytes_are_not_read(bytes: Vec<u8>) {
            prop_assert_eq!(told(&bytes), None);
        }
    }

    #[test]
    fn another_form_of_the_same_is_left_to_the_general_reader() {
        let line = r#"{"action":"I","xid":1,"lsn":"0/1","rel":3,"new":["a"]}"#;
        assert!(told(line.as_bytes()).is_some());
        for (from, to) in [
            ("\"a\"", "\"\\u0061\""),
            ("\"a\"", "\"\\/\""),
            ("\"a\"", "\"\\u001F\""),
            ("\"a\"", "\"\\u000a\""),
            ("\"a\"", r#"{"base64":"YQ=="}"#),
            ("[\"a\"]", "[\"a\" ]"),
            (":1,", ":01,"),
            (":1,", ":4294967296,"),
            ("0/1", "0/01"),
            ("0/1", "0/a"),
            ("\"I\"", "\"D\""),
            ("}", ",\"later\":1}"),
            ("}", "} "),
        ] {
            let other = line.replace(from, to);
            assert!(told(other.as_bytes()).is_none(), "{other}");
        }
    }
}
