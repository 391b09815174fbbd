//! What the demo tells in the end.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::comparison::ComparedTable;
use super::lag::Lag;
use crate::base::quantity::{ByteSize, display_duration};

/// Everything that was measured on the way.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The source's size when the copy began.
    pub(super) copied_bytes: ByteSize,
    /// From the start of the migration to the first change applied.
    pub(super) copy_time: Duration,
    /// From then until the traffic stopped.
    pub(super) follow_time: Duration,
    /// From setting endpos until the migration had ended.
    pub(super) end_time: Duration,
    /// Transactions committed on the source while the base copy ran.
    pub(super) transactions_during_copy: u64,
    /// Transactions committed on the source after it, while changes were applied.
    pub(super) transactions_during_follow: u64,
    /// How far the target was behind.
    pub(super) lag: Lag,
}

/// Whether the rows are the same, table by table.
pub(super) fn comparison_table(tables: &[ComparedTable]) -> Table {
    let mut shown = empty(&[
        "table",
        "rows on the source",
        "rows on the target",
        "rows are",
    ]);
    for table in tables {
        let rows = |rows: Option<u64>| match rows {
            Some(rows) => number(rows),
            None => Cell::new("missing"),
        };
        let verdict = match table.is_equal {
            true => Cell::new("EQUAL"),
            false => Cell::new("DIFFERENT"),
        };
        shown.add_row(vec![
            Cell::new(&table.name),
            rows(table.source_rows),
            rows(table.target_rows),
            verdict,
        ]);
    }
    shown
}

/// What each stage took, and what the source did meanwhile.
pub(super) fn stage_table(facts: &Facts) -> Table {
    let mut shown = empty(&["stage", "took", "transactions committed meanwhile"]);
    let stages = [
        ("base copy", facts.copy_time, facts.transactions_during_copy),
        (
            "following live",
            facts.follow_time,
            facts.transactions_during_follow,
        ),
        ("the end, at endpos", facts.end_time, 0),
    ];
    for (stage, took, transactions) in stages {
        let took = Cell::new(display_duration(took)).set_alignment(CellAlignment::Right);
        shown.add_row(vec![Cell::new(stage), took, number(transactions)]);
    }
    shown
}

/// The migration in one sentence.
pub(super) fn in_short(facts: &Facts, tables: &[ComparedTable]) -> String {
    let rows = tables.iter().filter_map(|table| table.target_rows).sum();
    format!(
        "{} in {} rows moved while {} transactions were committed; \
         the largest lag seen was {} of WAL.",
        facts.copied_bytes,
        grouped(rows),
        grouped(facts.transactions_during_copy + facts.transactions_during_follow),
        facts.lag.max
    )
}

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table
}

fn number(value: u64) -> Cell {
    Cell::new(grouped(value)).set_alignment(CellAlignment::Right)
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn a_table_that_differs_is_told_apart() {
        let table = |name: &str, is_equal: bool| ComparedTable {
            name: name.to_owned(),
            source_rows: Some(1000),
            target_rows: is_equal.then_some(1000),
            is_equal,
        };
        let shown = comparison_table(&[table("a", true), table("b", false)]).to_string();
        for (name, end) in [("a", "1,000 ┆ EQUAL"), ("b", "missing ┆ DIFFERENT")] {
            let row = |line: &&str| line.contains(&format!("│ {name} "));
            let squeezed: String = shown
                .lines()
                .find(row)
                .unwrap()
                .split_whitespace()
                .collect();
            let end: String = end.split_whitespace().collect();
            assert!(squeezed.contains(&end), "{shown}");
        }
    }
}
