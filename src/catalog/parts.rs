//! Which tables are cut into parts, and where.
//!
//! A part is a condition on the table's rows; the conditions of a table are disjoint and cover all
//! of it, so under one snapshot the parts are exactly the table.
//!
//! - *By key*: ranges of a not null column that an index orders, at quantiles of a sample of the
//!   table, so that the parts are of one size however the values lie. Only where the rows lie in
//!   the key's order: else a range would visit every page of the table. Where the column is part of
//!   the replica identity, every change says which part it concerns, and a table that is interrupted
//!   goes on with the parts that are missing.
//! - *By ctid*: ranges of blocks, which PostgreSQL 14 and later read as such. Block numbers mean
//!   something under one snapshot only: a table of such parts that is interrupted is copied again
//!   as a whole.

use std::num::NonZeroUsize;

use crate::base::KeyRange;
use crate::base::ident::quote_ident;
use crate::base::quantity::ByteSize;
use crate::pg::{Error, Session};
use crate::store::{PartRow, TableRow};

/// Tables larger than this are copied in parts, unless told otherwise: large enough that setting
/// a part up costs nothing beside copying it, small enough that the last table of a migration does
/// not leave all workers but one without work.
pub const LARGER_THAN: ByteSize = ByteSize(10 << 30);

/// At most this many parts a table, unless told otherwise: each is a row in ledger and store.
const PARTS_MAX: usize = 1000;

/// Pages that are sampled to find the quantiles: enough for parts of equal size within a few
/// percent, few enough to be read in a moment.
const SAMPLED_PAGES: f64 = 1000.0;

/// How well rows must lie in the order of the key, from 0 to 1, for ranges of it to be read about
/// as fast as blocks are.
const ORDERED: f64 = 0.9;

/// The first version that reads a range of blocks without reading the others.
const CTID_RANGES_SINCE: u32 = 14;

/// How tables are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutting {
    /// Tables larger than this.
    pub larger_than: ByteSize,
    /// Into at most this many parts.
    pub parts_max: Option<NonZeroUsize>,
    /// Whether they may be cut by ctid.
    pub by_ctid: bool,
}

/// A column that a table can be cut by.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    column: String,
    type_name: String,
    /// Whether every change of a row says its value.
    in_identity: bool,
    /// Where to cut, ascending and distinct.
    bounds: Vec<String>,
    /// How well the rows lie in its order, from 0 to 1.
    order: f64,
}

/// The parts of those of `tables` that are copied in several, as the transaction of `session`
/// sees them.
pub async fn plan(
    session: &Session,
    tables: &[TableRow],
    cutting: Cutting,
) -> Result<Vec<PartRow>, Error> {
    let mut parts = Vec::new();
    for table in tables {
        let count = part_count(table.bytes, cutting);
        if count > 1 {
            parts.extend(cut(session, table, count, cutting).await?);
        }
    }
    Ok(parts)
}

/// In how many parts a table of that size is copied.
fn part_count(bytes: u64, cutting: Cutting) -> usize {
    let larger_than = cutting.larger_than.0.max(1);
    if bytes <= larger_than {
        return 1;
    }
    let wanted = usize::try_from(bytes.div_ceil(larger_than)).unwrap_or(usize::MAX);
    wanted.min(cutting.parts_max.map_or(PARTS_MAX, NonZeroUsize::get))
}

async fn cut(
    session: &Session,
    table: &TableRow,
    count: usize,
    cutting: Cutting,
) -> Result<Vec<PartRow>, Error> {
    let may_ctid = may_ctid(cutting, session.server_version().major());
    let key = best_key(session, table, count).await?;
    let (ranges, by_key): (Vec<(String, Option<KeyRange>)>, _) = match choose(key, may_ctid) {
        Way::Key(key) => {
            let tells = key.in_identity && table.columns.contains(&key.column);
            let range = |range: KeyRange| {
                let condition = range.condition();
                (
                    condition,
                    Some(range).filter(|range| tells && range.is_known()),
                )
            };
            (key_ranges(&key).into_iter().map(range).collect(), true)
        }
        Way::Ctid => {
            let sql = "SELECT pg_relation_size($1::oid) / current_setting('block_size')::bigint";
            let blocks: i64 = session.query_one(sql, &[&table.oid]).await?.get(0);
            let conditions = block_ranges(blocks.unsigned_abs(), count).into_iter();
            (
                conditions.map(|condition| (condition, None)).collect(),
                false,
            )
        }
        Way::Whole => {
            tracing::info!(
                "{} cannot be cut into parts: it has no key for that",
                table.name
            );
            return Ok(vec![]);
        }
    };
    // One range is no cut.
    let cut = ranges.len() as u64;
    let ranges = ranges.into_iter().filter(|_| cut > 1);
    let parts = (0..).zip(ranges);
    let parts = parts.map(|(number, (condition, range))| PartRow {
        table_oid: table.oid,
        number,
        condition,
        by_key,
        bytes: table.bytes / cut,
        range,
    });
    Ok(parts.collect())
}

/// What a table is cut by.
#[derive(Debug, PartialEq)]
enum Way {
    Key(Key),
    Ctid,
    /// Nothing.
    Whole,
}

fn may_ctid(cutting: Cutting, source_major: u32) -> bool {
    cutting.by_ctid && source_major >= CTID_RANGES_SINCE
}

/// Blocks before a key that the rows do not lie in the order of; that key before nothing.
fn choose(key: Option<Key>, may_ctid: bool) -> Way {
    match key {
        Some(key) if key.order >= ORDERED || !may_ctid => Way::Key(key),
        _ if may_ctid => Way::Ctid,
        _ => Way::Whole,
    }
}

/// The column to cut by: one that changes tell before others, an integer before other types, a unique
/// one before others.
async fn best_key(session: &Session, table: &TableRow, count: usize) -> Result<Option<Key>, Error> {
    let candidates = session
        .query(
            "SELECT a.attname::text, format_type(a.atttypid, NULL), t.told
               FROM pg_index i
               JOIN pg_class x ON x.oid = i.indexrelid
               JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
               JOIN pg_class c ON c.oid = i.indrelid
              -- Without an identity there are no updates; with FULL, they say everything.
              CROSS JOIN LATERAL (SELECT coalesce(
                    (SELECT a.attnum = ANY ((r.indkey::int2[])[0:r.indnkeyatts - 1]) FROM pg_index r
                      WHERE r.indrelid = c.oid
                            AND CASE c.relreplident WHEN 'd' THEN r.indisprimary
                                                    WHEN 'i' THEN r.indisreplident
                                                    ELSE false END), true) AS told) AS t
              WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND a.attnotnull
                AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                   'uuid'::regtype, 'date'::regtype, 'timestamp'::regtype,
                                   'timestamptz'::regtype)
              ORDER BY NOT t.told,
                       a.atttypid NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype),
                       NOT (i.indisunique AND i.indnkeyatts = 1), NOT i.indisprimary,
                       i.indexrelid
              LIMIT 1",
            &[&table.oid],
        )
        .await?;
    let Some(row) = candidates.first() else {
        return Ok(None);
    };
    let (column, type_name): (String, String) = (row.get(0), row.get(1));
    let sampled = session
        .query_one(&sample_sql(table, &column, count), &[])
        .await?;
    let mut bounds: Vec<String> = sampled.get::<_, Option<_>>(0).unwrap_or_default();
    bounds.dedup();
    Ok(Some(Key {
        column,
        type_name,
        in_identity: row.get(2),
        bounds,
        order: sampled.get::<_, Option<f64>>(1).unwrap_or(0.0).abs(),
    }))
}

/// Quantiles of the key in a sample of pages, and how well blocks and key go up together.
fn sample_sql(table: &TableRow, column: &str, count: usize) -> String {
    let pages = (table.bytes / 8192).max(1) as f64;
    let percent = (100.0 * SAMPLED_PAGES / pages).clamp(0.000_1, 100.0);
    let fractions: Vec<_> = (1..count)
        .map(|at| format!("{:.6}", at as f64 / count as f64))
        .collect();
    format!(
        "SELECT percentile_disc(ARRAY[{}]::float8[]) WITHIN GROUP (ORDER BY key)::text[],
                corr(place, rank)
           FROM (SELECT key, place, row_number() OVER (ORDER BY key) AS rank
                   FROM (SELECT {} AS key, (ctid::text::point)[0] AS place
                           FROM ONLY {} TABLESAMPLE SYSTEM ({percent:.6})) AS sampled) AS ranked",
        fractions.join(", "),
        quote_ident(column),
        table.name.quoted(),
    )
}

/// The ranges between the key's bounds; the first and the last are open.
fn key_ranges(key: &Key) -> Vec<KeyRange> {
    let lower = std::iter::once(None).chain(key.bounds.iter().cloned().map(Some));
    let upper = key.bounds.iter().cloned().map(Some).chain([None]);
    let range = |(lower, upper)| KeyRange {
        column: key.column.clone(),
        type_name: key.type_name.clone(),
        lower,
        upper,
        only: None,
    };
    lower.zip(upper).map(range).collect()
}

/// Ranges of about equally many blocks; the last is open, for what was added since.
fn block_ranges(blocks: u64, count: usize) -> Vec<String> {
    let count = (count as u64).min(blocks.max(1));
    let bounds: Vec<_> = (1..count)
        .map(|at| {
            let block = u128::from(blocks) * u128::from(at) / u128::from(count);
            format!("'({block},0)'::pg_catalog.tid")
        })
        .collect();
    ranges(&bounds, "ctid")
}

/// Below the first bound, between each two, from the last on.
fn ranges(bounds: &[String], column: &str) -> Vec<String> {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
        return vec!["true".to_owned()];
    };
    let mut ranges = vec![format!("{column} < {first}")];
    for pair in bounds.windows(2) {
        ranges.push(format!(
            "{column} >= {} AND {column} < {}",
            pair[0], pair[1]
        ));
    }
    ranges.push(format!("{column} >= {last}"));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutting(larger_than: u64, parts_max: Option<usize>) -> Cutting {
        Cutting {
            larger_than: ByteSize(larger_than),
            parts_max: parts_max.and_then(NonZeroUsize::new),
            by_ctid: true,
        }
    }

    #[test]
    fn a_table_is_cut_when_it_is_larger_and_never_into_more_than_is_allowed() {
        assert_eq!(part_count(100, cutting(100, None)), 1);
        assert_eq!(part_count(101, cutting(100, None)), 2);
        assert_eq!(part_count(1000, cutting(100, None)), 10);
        assert_eq!(part_count(1000, cutting(100, Some(4))), 4);
        assert_eq!(part_count(u64::MAX, cutting(1, None)), PARTS_MAX);
        assert_eq!(part_count(5, cutting(0, Some(1))), 1);
    }

    #[test]
    fn blocks_are_for_servers_that_read_a_range_of_them_and_for_tables_without_a_better_key() {
        let cutting = cutting(1, None);
        assert!(may_ctid(cutting, 14) && !may_ctid(cutting, 13));
        let never = Cutting {
            by_ctid: false,
            ..cutting
        };
        assert!(!may_ctid(never, 18));
        let key = |order| Key {
            column: "id".into(),
            type_name: "bigint".into(),
            in_identity: true,
            bounds: vec!["7".into()],
            order,
        };
        assert_eq!(choose(Some(key(1.0)), true), Way::Key(key(1.0)));
        assert_eq!(choose(Some(key(0.1)), true), Way::Ctid);
        assert_eq!(choose(Some(key(0.1)), false), Way::Key(key(0.1)));
        assert_eq!(choose(None, true), Way::Ctid);
        assert_eq!(choose(None, false), Way::Whole);
    }

    #[test]
    fn ranges_meet_without_gap_and_are_open_at_both_ends() {
        let key = Key {
            column: "Id".into(),
            type_name: "bigint".into(),
            in_identity: true,
            bounds: vec!["-1".into(), "7".into()],
            order: 1.0,
        };
        let conditions = |key: &Key| {
            let ranges = key_ranges(key).into_iter();
            ranges.map(|range| range.condition()).collect::<Vec<_>>()
        };
        assert_eq!(
            conditions(&key),
            [
                "\"Id\" < '-1'::bigint",
                "\"Id\" >= '-1'::bigint AND \"Id\" < '7'::bigint",
                "\"Id\" >= '7'::bigint",
            ]
        );
        let nothing_sampled = Key {
            bounds: vec![],
            ..key
        };
        assert_eq!(conditions(&nothing_sampled), ["true"]);
    }

    #[test]
    fn blocks_are_divided_evenly_and_no_part_is_without_blocks() {
        assert_eq!(
            block_ranges(10, 3),
            [
                "ctid < '(3,0)'::pg_catalog.tid",
                "ctid >= '(3,0)'::pg_catalog.tid AND ctid < '(6,0)'::pg_catalog.tid",
                "ctid >= '(6,0)'::pg_catalog.tid",
            ]
        );
        assert_eq!(block_ranges(1, 5), ["true"]);
        assert_eq!(block_ranges(0, 5), ["true"]);
        assert_eq!(block_ranges(u64::from(u32::MAX), 4).len(), 4);
    }
}
