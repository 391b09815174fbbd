//! What the demo tells in the end.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::comparison::ComparedTable;
use super::lag::Lag;
use super::timeline::Timeline;
use super::traffic::Experience;
use crate::base::quantity::{ByteSize, display_duration, grouped};

/// Everything that was measured on the way.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The source's size when the copy began.
    pub(super) copied_bytes: ByteSize,
    /// The stages.
    pub(super) timeline: Timeline,
    /// What the application saw.
    pub(super) experience: Experience,
    /// Its transactions that are on the target in the end.
    pub(super) kept: u64,
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

/// What each stage took, what the application did meanwhile, and how long it had to wait.
pub(super) fn stage_table(facts: &Facts) -> Table {
    let mut shown = empty(&["stage", "took", "transactions", "the longest took"]);
    for seen in facts.timeline.seen(&facts.experience.transactions) {
        shown.add_row(vec![
            Cell::new(seen.name),
            duration(seen.took),
            number(seen.acknowledged),
            duration(seen.longest),
        ]);
    }
    shown
}

/// The migration in a few sentences.
pub(super) fn in_short(facts: &Facts, tables: &[ComparedTable]) -> String {
    let rows = tables.iter().filter_map(|table| table.target_rows).sum();
    format!(
        "{} in {} rows moved; the largest lag seen was {} of WAL.\n\
         {} transactions were acknowledged to the application, {} are on the target; errors: {}.",
        facts.copied_bytes,
        grouped(rows),
        facts.lag.max,
        grouped(facts.experience.acknowledged),
        grouped(facts.kept),
        facts.experience.errors,
    )
}

/// What is not as it should be, if anything. Nothing compared proves nothing.
pub(super) fn what_is_wrong(facts: &Facts, tables: &[ComparedTable]) -> Option<String> {
    let Experience {
        acknowledged,
        errors,
        ..
    } = facts.experience;
    if tables.is_empty() || tables.iter().any(|table| !table.is_equal) {
        return Some("source and target do not agree".to_owned());
    }
    if errors > 0 {
        return Some(format!("clients have seen {errors} errors"));
    }
    // Without errors every transaction was acknowledged, so that more would be wrong, too.
    (facts.kept != acknowledged).then(|| {
        format!(
            "{} transactions were acknowledged, and {} are on the target",
            grouped(acknowledged),
            grouped(facts.kept)
        )
    })
}

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table
}

fn number(value: u64) -> Cell {
    Cell::new(grouped(value)).set_alignment(CellAlignment::Right)
}

fn duration(value: Duration) -> Cell {
    Cell::new(display_duration(value)).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_differs_was_lost_or_failed_is_no_success_nor_is_nothing_at_all() {
        let table = |is_equal| ComparedTable {
            name: "t".to_owned(),
            source_rows: Some(1),
            target_rows: Some(1),
            is_equal,
        };
        let facts = |kept, errors| Facts {
            experience: Experience {
                acknowledged: 7,
                errors,
                ..Experience::default()
            },
            kept,
            ..Facts::default()
        };
        let both = [table(true), table(true)];
        assert_eq!(what_is_wrong(&facts(7, 0), &both), None);
        assert!(what_is_wrong(&facts(7, 0), &[]).is_some());
        assert!(what_is_wrong(&facts(7, 0), &[table(true), table(false)]).is_some());
        for (kept, errors, words) in [(6, 0, "7 transactions were"), (7, 1, "1 errors")] {
            let wrong = what_is_wrong(&facts(kept, errors), &both).unwrap();
            assert!(wrong.contains(words), "{wrong}");
        }
    }
}
