//! What a server answered, as far as two answers are compared.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::proxy::notice;
use crate::wire::frame::{self, HEADER_BYTES};

/// The result of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// Its columns, where the server described them.
    pub columns: Option<Vec<Column>>,
    /// How many rows came.
    pub rows: u64,
    /// Of the rows, whatever their order.
    pub digest: u64,
}

/// How a statement ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Not known: the answer breaks off.
    #[default]
    Unknown,
    /// With this command tag.
    Done(Vec<u8>),
    /// With this SQLSTATE.
    Failed([u8; 5]),
    /// There was no statement.
    Empty,
    /// The portal has more rows than were asked for.
    Suspended,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Vec<u8>,
    /// Its type, if that has the same number on every server.
    pub type_oid: Option<u32>,
}

/// The first number of types that are not PostgreSQL's own, and differ from server to server
/// (`FirstNormalObjectId` in `src/include/access/transam.h`).
const FIRST_OF_USERS: u32 = 16384;

/// Numbers rows by their bytes. Any seed: both sides have the same.
const ROWS: FixedState = FixedState::with_seed(0x726f_7773);

/// The answers in `messages` of a server, in groups that each end with a ReadyForQuery. What breaks
/// off at the end has an unknown outcome.
pub fn groups(messages: &[u8]) -> Vec<Vec<Answer>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut answer: Option<Answer> = None;
    for (tag, message) in frame::frames(messages) {
        let body = message.get(HEADER_BYTES..).unwrap_or_default();
        let ended = match tag {
            b'T' => {
                answer.get_or_insert_default().columns = columns(body);
                continue;
            }
            b'D' => {
                let answer = answer.get_or_insert_default();
                answer.rows += 1;
                let mut hasher = ROWS.build_hasher();
                hasher.write(body);
                answer.digest = answer.digest.wrapping_add(hasher.finish());
                continue;
            }
            b'C' => Outcome::Done(
                body.split(|byte| *byte == 0)
                    .next()
                    .unwrap_or_default()
                    .to_vec(),
            ),
            b'E' => Outcome::Failed(sqlstate(body)),
            b'I' => Outcome::Empty,
            b's' => Outcome::Suspended,
            b'Z' => {
                // A description that nothing followed is not an answer.
                answer = None;
                groups.push(std::mem::take(&mut group));
                continue;
            }
            _ => continue,
        };
        let mut answer = answer.take().unwrap_or_default();
        answer.outcome = ended;
        group.push(answer);
    }
    group.extend(answer);
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

fn sqlstate(body: &[u8]) -> [u8; 5] {
    let code = notice::sqlstate(body).unwrap_or_default();
    code.try_into().unwrap_or(*b"XX000")
}

/// The columns of a RowDescription; none if it is broken.
fn columns(body: &[u8]) -> Option<Vec<Column>> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut columns = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let end = memchr::memchr(0, rest)?;
        let fields = rest.get(end + 1..end + 19)?;
        let type_oid = u32::from_be_bytes(fields.get(6..10)?.try_into().ok()?);
        columns.push(Column {
            name: rest[..end].to_vec(),
            type_oid: (type_oid < FIRST_OF_USERS).then_some(type_oid),
        });
        rest = &rest[end + 19..];
    }
    Some(columns)
}

/// What is different between two answers to the same statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// One failed and the other did not, or for another class of reasons.
    Error,
    /// The command tag, or how many rows there are.
    Rows,
    /// The columns' names or types.
    Columns,
    /// The rows' values.
    Values,
}

impl Difference {
    /// All of them, in the order of [`Difference::index`].
    pub const ALL: [Difference; 4] = [
        Difference::Error,
        Difference::Rows,
        Difference::Columns,
        Difference::Values,
    ];

    /// As people and scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Error => "error",
            Difference::Rows => "rows",
            Difference::Columns => "columns",
            Difference::Values => "values",
        }
    }

    /// Its place in [`Difference::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What is different in `mirror`, if anything. The worst is told.
pub fn difference(main: &Answer, mirror: &Answer) -> Option<Difference> {
    let outcomes = (&main.outcome, &mirror.outcome);
    match outcomes {
        (Outcome::Failed(one), Outcome::Failed(other)) => {
            return (one[..2] != other[..2]).then_some(Difference::Error);
        }
        (Outcome::Failed(_), _) | (_, Outcome::Failed(_)) => return Some(Difference::Error),
        (one, other) if one != other => return Some(Difference::Rows),
        _ => {}
    }
    if main.rows != mirror.rows {
        return Some(Difference::Rows);
    }
    if let (Some(one), Some(other)) = (&main.columns, &mirror.columns) {
        let is_alike = |(one, other): (&Column, &Column)| {
            one.name == other.name
                && (one.type_oid == other.type_oid
                    || one.type_oid.is_none() && other.type_oid.is_none())
        };
        if one.len() != other.len() || !one.iter().zip(other).all(is_alike) {
            return Some(Difference::Columns);
        }
    }
    (main.digest != mirror.digest).then_some(Difference::Values)
}

#[cfg(test)]
mod tests {
    use super::super::messages::build::message;
    use super::*;
    use proptest::prelude::*;

    fn column(name: &str, type_oid: u32) -> Vec<u8> {
        let mut bytes = format!("{name}\0").into_bytes();
        bytes.extend([0; 6]);
        bytes.extend(type_oid.to_be_bytes());
        bytes.extend([0; 8]);
        bytes
    }

    fn described(columns: &[(&str, u32)]) -> Vec<u8> {
        let mut body = (columns.len() as u16).to_be_bytes().to_vec();
        for (name, type_oid) in columns {
            body.extend(column(name, *type_oid));
        }
        message(b'T', &body)
    }

    fn answer(rows: &[&str], tag: &str) -> Vec<u8> {
        let rows = rows.iter().flat_map(|row| message(b'D', row.as_bytes()));
        let tag = message(b'C', format!("{tag}\0").as_bytes());
        [described(&[("a", 23)]), rows.collect(), tag].concat()
    }

    fn failed(sqlstate: &str) -> Vec<u8> {
        message(b'E', format!("SERROR\0C{sqlstate}\0\0").as_bytes())
    }

    fn ready() -> Vec<u8> {
        message(b'Z', b"I")
    }

    fn compared(main: &[u8], mirror: &[u8]) -> Option<Difference> {
        let first = |messages: &[u8]| groups(messages)[0][0].clone();
        difference(&first(main), &first(mirror))
    }

    #[test]
    fn answers_are_grouped_as_they_were_asked_for() {
        let all = [
            answer(&["x", "y"], "SELECT 2"),
            answer(&[], "SELECT 0"),
            ready(),
            failed("42P01"),
            ready(),
            answer(&["z"], "SELECT 1"),
        ]
        .concat();
        let found = groups(&all);
        let counts: Vec<_> = found.iter().map(Vec::len).collect();
        assert_eq!(counts, [2, 1, 1]);
        assert_eq!(found[1][0].outcome, Outcome::Failed(*b"42P01"));
        let broken = &all[..all.len() - 3];
        assert_eq!(groups(broken)[2][0].outcome, Outcome::Unknown);
    }

    #[test]
    fn what_is_different_is_told() {
        let one = answer(&["x", "y"], "SELECT 2");
        assert_eq!(compared(&one, &answer(&["y", "x"], "SELECT 2")), None);
        assert_eq!(
            compared(&one, &answer(&["x", "z"], "SELECT 2")),
            Some(Difference::Values)
        );
        assert_eq!(
            compared(&one, &answer(&["x"], "SELECT 1")),
            Some(Difference::Rows)
        );
        assert_eq!(compared(&one, &failed("42P01")), Some(Difference::Error));
        assert_eq!(compared(&failed("42601"), &failed("42P01")), None);
        assert_eq!(
            compared(&failed("22012"), &failed("42P01")),
            Some(Difference::Error)
        );
        let renamed = [
            &described(&[("b", 23)])[..],
            &one[described(&[("a", 23)]).len()..],
        ]
        .concat();
        assert_eq!(compared(&one, &renamed), Some(Difference::Columns));
        let update = |count| message(b'C', format!("UPDATE {count}\0").as_bytes());
        assert_eq!(compared(&update(1), &update(2)), Some(Difference::Rows));
    }

    #[test]
    fn types_of_users_have_other_numbers_elsewhere() {
        let of = |oid| [described(&[("a", oid)]), message(b'C', b"SELECT 0\0")].concat();
        assert_eq!(compared(&of(20000), &of(30000)), None);
        assert_eq!(compared(&of(23), &of(30000)), Some(Difference::Columns));
        assert_eq!(compared(&of(23), &of(20)), Some(Difference::Columns));
    }

    proptest! {
        #[test]
        fn hostile_answers_are_no_panic(messages in proptest::collection::vec((any::<u8>(), any::<Vec<u8>>()), 0..9)) {
            let bytes: Vec<u8> = messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
            groups(&bytes);
            groups(&bytes[..bytes.len().saturating_sub(3)]);
        }
    }
}
