//! Sums and averages, with PgBouncer's columns. What it counts of prepared statements is 0 here:
//! they pass as they are.

use std::time::Instant;

use super::Rows;
use crate::proxy::admin::answer::{Cell, Column, numeric, text};
use crate::proxy::control::Facts;
use crate::proxy::statistics::Totals as Sums;
use crate::proxy::statistics::period::Averages;

/// Of `SHOW STATS`.
pub(super) const STATS: [Column; 23] = [
    text("database"),
    numeric("total_server_assignment_count"),
    numeric("total_xact_count"),
    numeric("total_query_count"),
    numeric("total_received"),
    numeric("total_sent"),
    numeric("total_xact_time"),
    numeric("total_query_time"),
    numeric("total_wait_time"),
    numeric("total_client_parse_count"),
    numeric("total_server_parse_count"),
    numeric("total_bind_count"),
    numeric("avg_server_assignment_count"),
    numeric("avg_xact_count"),
    numeric("avg_query_count"),
    numeric("avg_recv"),
    numeric("avg_sent"),
    numeric("avg_xact_time"),
    numeric("avg_query_time"),
    numeric("avg_wait_time"),
    numeric("avg_client_parse_count"),
    numeric("avg_server_parse_count"),
    numeric("avg_bind_count"),
];

/// Of `SHOW STATS_TOTALS` and `SHOW STATS_AVERAGES`.
pub(super) const PARTS: [Column; 12] = [
    text("database"),
    numeric("server_assignment_count"),
    numeric("xact_count"),
    numeric("query_count"),
    numeric("bytes_received"),
    numeric("bytes_sent"),
    numeric("xact_time"),
    numeric("query_time"),
    numeric("wait_time"),
    numeric("client_parse_count"),
    numeric("server_parse_count"),
    numeric("bind_count"),
];

/// Of `SHOW TOTALS`.
pub(super) const TOTALS: [Column; 2] = [text("name"), numeric("value")];

/// Numbers a database has in each half of [`STATS`].
const EACH: usize = PARTS.len() - 1;

pub(super) fn stats(facts: &Facts, database: Option<&str>) -> Rows {
    rows(facts, database, |sums, averages| {
        sums.into_iter().chain(averages).collect()
    })
}

pub(super) fn totals(facts: &Facts, database: Option<&str>) -> Rows {
    rows(facts, database, |sums, _| sums.to_vec())
}

pub(super) fn averages(facts: &Facts, database: Option<&str>) -> Rows {
    rows(facts, database, |_, averages| averages.to_vec())
}

pub(super) fn over_all(facts: &Facts) -> Rows {
    let all = facts.service.registry.snapshot().totals();
    let average = facts.service.periods.averages(None, &all, Instant::now());
    let sums = numbers_of(&all).into_iter();
    let values = sums.chain(numbers_of_averages(&average));
    let names = STATS.iter().skip(1).map(|column| column.name);
    let rows: Vec<Vec<Cell>> = names
        .zip(values)
        .map(|(name, value)| vec![name.into(), value.into()])
        .collect();
    Box::new(rows.into_iter())
}

/// Each database's sums, or those of the one that is named.
fn by_database(facts: &Facts, wanted: Option<&str>) -> Vec<(String, Sums)> {
    let databases = facts.service.registry.snapshot().databases.into_iter();
    let named = databases.map(|(database, totals)| (database.name.clone(), totals));
    let wanted = named.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name));
    wanted.collect()
}

fn rows(
    facts: &Facts,
    database: Option<&str>,
    chosen: impl Fn([u64; EACH], [u64; EACH]) -> Vec<u64>,
) -> Rows {
    let now = Instant::now();
    let periods = &facts.service.periods;
    let databases = by_database(facts, database).into_iter();
    let rows = databases.map(|(name, sums)| {
        let averages = periods.averages(Some(&name), &sums, now);
        let numbers = chosen(numbers_of(&sums), numbers_of_averages(&averages));
        let numbers = numbers.into_iter().map(Cell::from);
        std::iter::once(name.into()).chain(numbers).collect()
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    Box::new(rows.into_iter())
}

fn numbers_of(sums: &Sums) -> [u64; EACH] {
    [
        sums.logins,
        sums.transactions.count(),
        sums.queries.count(),
        sums.bytes_in,
        sums.bytes_out,
        sums.transactions.sum_ns / 1000,
        sums.queries.sum_ns / 1000,
        sums.wait_ns() / 1000,
        0,
        0,
        0,
    ]
}

fn numbers_of_averages(averages: &Averages) -> [u64; EACH] {
    [
        averages.logins,
        averages.transactions,
        averages.queries,
        averages.bytes_in,
        averages.bytes_out,
        averages.transaction_us,
        averages.query_us,
        averages.wait_us,
        0,
        0,
        0,
    ]
}
