//! From two sums that differ to the keys of the rows that differ.
//!
//! Keys are told apart by their hash, which orders them alike on both sides, whatever the collations:
//! 1. rows are summed by the lower bits of their key's hash, in some ten thousands of ranges;
//! 2. of the ranges whose sums differ, the hashes of keys and rows are read in order, a thousand at a
//!    time, from both sides together: which differ, and how many there are in all;
//! 3. of the first of those, the keys themselves are read, and a hash for each column.
//!
//! Each reads the tables once, and only of tables that differ. Nothing here grows with the number of
//! rows.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

use crate::base::Side;
use crate::pg::{Error, Session};

use super::digest::{self, Digest, Form, Rows, sum_of};
use super::moment::Moment;
use super::outcome::{Found, KeyDifference, Kind};
use super::run::Reading;
use super::unit::Unit;

/// Ranges of the hash of keys; a power of two.
const RANGES: u32 = 1 << 15;

/// Rows read at a time.
const ROWS_AT_ONCE: usize = 1000;

/// Characters of a key that are shown.
const KEY_CHARS: usize = 200;

/// What fails, and where.
type Failed = (Side, Error);

/// The rows of `unit` that differ: how many, and the first `shown`. None if it has no key.
pub(super) async fn narrow(
    unit: &Unit,
    form: Form,
    reading: &Reading,
    moments: [&Moment; 2],
    shown: usize,
) -> Result<Option<Found>, Failed> {
    let Some(key) = unit.key.clone() else {
        return Ok(None);
    };
    let narrowing = Narrowing {
        unit,
        form,
        reading,
        key: &key,
    };
    let mut sessions = Vec::with_capacity(2);
    for moment in moments {
        let failed = |error| (moment.side, error);
        let session = moment.session().await.map_err(failed)?;
        moment.begin(&session).await.map_err(failed)?;
        sessions.push(session);
    }
    let [source, target] = [&sessions[0], &sessions[1]];
    let (on_source, on_target) = tokio::join!(
        narrowing.ranges(source, Side::Source),
        narrowing.ranges(target, Side::Target)
    );
    let ranges = differing(&on_source?, &on_target?);
    let mut walks = [
        narrowing.walk(source, Side::Source, &ranges).await?,
        narrowing.walk(target, Side::Target, &ranges).await?,
    ];
    let (first, count) = meet(&mut walks, shown).await?;
    let hashes: Vec<i64> = first.iter().map(|(hash, _)| *hash).collect();
    let (on_source, on_target) = tokio::join!(
        narrowing.rows(source, Side::Source, &hashes),
        narrowing.rows(target, Side::Target, &hashes)
    );
    let (on_source, on_target) = (on_source?, on_target?);
    let mut found: Vec<_> = first
        .into_iter()
        .map(|(hash, place)| {
            let rows = [on_source.get(&hash), on_target.get(&hash)];
            narrowing.difference(place, rows)
        })
        .collect();
    found.sort_by(|left, right| (left.key.len(), &left.key).cmp(&(right.key.len(), &right.key)));
    Ok(Some(Found {
        key,
        shown: found,
        count,
    }))
}

/// A row as it is shown: its key, and a hash for each column.
struct Shown {
    key: String,
    columns: Vec<i64>,
}

struct Narrowing<'a> {
    unit: &'a Unit,
    form: Form,
    reading: &'a Reading,
    key: &'a [String],
}

impl Narrowing<'_> {
    /// SQL: `columns` of the rows of all tables of `side`, with `kh`, the hash of the key.
    fn select(
        &self,
        side: Side,
        columns: impl Fn(&[digest::Column]) -> String,
        condition: Option<&str>,
    ) -> String {
        let key = digest::key_hash(self.key, self.form);
        let mut sql = String::new();
        for (at, relation) in self.unit.of(side).iter().enumerate() {
            let condition = condition.map(|condition| condition.replace("kh", &key));
            let rows = Rows {
                table: &relation.table.name,
                condition: condition.as_deref(),
                sample: self.reading.sample_of(self.unit),
            };
            let union = if at == 0 { "" } else { " UNION ALL " };
            let _ = write!(
                sql,
                "{union}(SELECT {key} AS kh, {} {} OFFSET 0)",
                columns(&relation.columns),
                rows.from_where(self.form)
            );
        }
        sql
    }

    fn row_text(&self, columns: &[digest::Column]) -> String {
        format!("{} AS r", digest::row_text(columns, self.form))
    }

    /// The digest of each range that has rows.
    async fn ranges(&self, session: &Session, side: Side) -> Result<HashMap<i32, Digest>, Failed> {
        let failed = |error| (side, error);
        let sql = format!(
            "SELECT (kh & {})::int4, count(*), {} FROM ({}) AS hashed GROUP BY 1",
            RANGES - 1,
            digest::sums(),
            self.select(side, |columns| self.row_text(columns), None)
        );
        let mut ranges = HashMap::new();
        for row in session.query(&sql, &[]).await.map_err(failed)? {
            let sums = [row.get(2), row.get(3)].map(|text: &str| sum_of(text).unwrap_or_default());
            let rows = row.get::<_, i64>(1).unsigned_abs();
            ranges.insert(row.get(0), Digest { rows, sums });
        }
        Ok(ranges)
    }

    /// The hashes of the rows of `ranges`, in the order of those of their keys.
    async fn walk<'a>(
        &self,
        session: &'a Session,
        side: Side,
        ranges: &[i32],
    ) -> Result<Walk<'a>, Failed> {
        let ranges: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        let among = format!(
            "(kh & {})::int4 = ANY ('{{{}}}'::int4[])",
            RANGES - 1,
            ranges.join(",")
        );
        let sql = format!(
            "DECLARE walk NO SCROLL CURSOR FOR SELECT kh, {} FROM ({}) AS hashed ORDER BY 1, 2, 3",
            digest::hashes(),
            self.select(side, |columns| self.row_text(columns), Some(&among))
        );
        session.batch(&sql).await.map_err(|error| (side, error))?;
        Ok(Walk {
            session,
            side,
            read: VecDeque::new(),
            is_over: false,
        })
    }

    /// The keys with these hashes, and what to compare of their rows.
    async fn rows(
        &self,
        session: &Session,
        side: Side,
        hashes: &[i64],
    ) -> Result<HashMap<i64, Shown>, Failed> {
        let hashes: Vec<_> = hashes.iter().map(ToString::to_string).collect();
        let among = format!("kh = ANY ('{{{}}}'::int8[])", hashes.join(","));
        let columns = |columns: &[digest::Column]| {
            let hashes = digest::column_hashes(columns, self.form);
            format!(
                "left({}, {KEY_CHARS}), {hashes}",
                digest::key_shown(self.key)
            )
        };
        let sql = self.select(side, columns, Some(&among));
        let rows = session.query(&sql, &[]).await;
        let shown = |row: &tokio_postgres::Row| {
            let shown = Shown {
                key: row.get(1),
                columns: row.get(2),
            };
            (row.get(0), shown)
        };
        Ok(rows
            .map_err(|error| (side, error))?
            .iter()
            .map(shown)
            .collect())
    }

    fn difference(&self, place: Place, rows: [Option<&Shown>; 2]) -> KeyDifference {
        let key = rows.into_iter().flatten().next();
        let key = key.map_or_else(|| "(?)".to_owned(), |row| row.key.clone());
        let kind = match (place, rows) {
            (Place::Both, [Some(source), Some(target)]) => {
                let columns = self.unit.of(Side::Source)[0].columns.iter();
                let values = source.columns.iter().zip(&target.columns);
                let differ = columns
                    .zip(values)
                    .filter(|(_, (source, target))| source != target);
                Kind::Columns(differ.map(|(column, _)| column.name.clone()).collect())
            }
            (Place::Both, _) => Kind::Columns(Vec::new()),
            (Place::Only(side), _) => Kind::OnlyOn(side),
        };
        KeyDifference { key, kind }
    }
}

fn differing(source: &HashMap<i32, Digest>, target: &HashMap<i32, Digest>) -> Vec<i32> {
    let none = Digest::default();
    let of = |side: &HashMap<i32, Digest>, range: &i32| *side.get(range).unwrap_or(&none);
    let mut ranges: Vec<i32> = source.keys().chain(target.keys()).copied().collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges.retain(|range| of(source, range) != of(target, range));
    ranges
}

/// Where a row that differs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Both,
    Only(Side),
}

/// The hashes of a row.
type Hashes = (i64, i64);

/// Reads a cursor.
struct Walk<'a> {
    session: &'a Session,
    side: Side,
    read: VecDeque<(i64, Hashes)>,
    is_over: bool,
}

impl Walk<'_> {
    async fn peek(&mut self) -> Result<Option<i64>, Failed> {
        if self.read.is_empty() && !self.is_over {
            let fetched = self
                .session
                .query(&format!("FETCH {ROWS_AT_ONCE} FROM walk"), &[])
                .await
                .map_err(|error| (self.side, error))?;
            self.is_over = fetched.len() < ROWS_AT_ONCE;
            let row = |row: &tokio_postgres::Row| (row.get(0), (row.get(1), row.get(2)));
            self.read.extend(fetched.iter().map(row));
        }
        Ok(self.read.front().map(|(key, _)| *key))
    }

    /// The rows of the key `key`, which is the next; there is one, where the key is one.
    async fn take(&mut self, key: i64) -> Result<Vec<Hashes>, Failed> {
        let mut rows = Vec::new();
        while self.peek().await? == Some(key) {
            rows.extend(self.read.pop_front().map(|(_, hashes)| hashes));
        }
        Ok(rows)
    }
}

/// The first `shown` keys whose rows differ, and how many rows do.
async fn meet(walks: &mut [Walk<'_>; 2], shown: usize) -> Result<(Vec<(i64, Place)>, u64), Failed> {
    let [source, target] = walks;
    let (mut first, mut count) = (Vec::new(), 0);
    loop {
        let next = [source.peek().await?, target.peek().await?];
        let Some(key) = next.into_iter().flatten().min() else {
            return Ok((first, count));
        };
        let rows = [source.take(key).await?, target.take(key).await?];
        if let Some((place, rows)) = difference(rows) {
            count += rows;
            if first.len() < shown {
                first.push((key, place));
            }
        }
    }
}

/// What of the rows of one key has no equal on the other side.
fn difference(rows: [Vec<Hashes>; 2]) -> Option<(Place, u64)> {
    let [mut source, mut target] = rows;
    source.retain(|row| match target.iter().position(|it| it == row) {
        Some(at) => {
            target.swap_remove(at);
            false
        }
        None => true,
    });
    let count = source.len().max(target.len()) as u64;
    match (source.is_empty(), target.is_empty()) {
        (true, true) => None,
        (false, true) => Some((Place::Only(Side::Source), count)),
        (true, false) => Some((Place::Only(Side::Target), count)),
        (false, false) => Some((Place::Both, count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_equal_on_the_other_side_differs() {
        let (a, b, c) = ((1, 1), (2, 2), (3, 3));
        assert_eq!(difference([vec![a, b], vec![b, a]]), None);
        assert_eq!(difference([vec![a], vec![b]]), Some((Place::Both, 1)));
        let (place, count) = difference([vec![a, a, b], vec![a]]).expect("more");
        assert_eq!((place, count), (Place::Only(Side::Source), 2));
        let (place, count) = difference([vec![], vec![c]]).expect("more");
        assert_eq!((place, count), (Place::Only(Side::Target), 1));
    }

    #[test]
    fn a_range_without_rows_is_one_of_none() {
        let some = Digest {
            rows: 1,
            sums: [5, 6],
        };
        let source = HashMap::from([(1, some), (2, some), (4, some)]);
        let target = HashMap::from([(2, some), (3, some), (4, Digest { rows: 2, ..some })]);
        assert_eq!(differing(&source, &target), [1, 3, 4]);
    }
}
