//! What is printed.

use std::time::Duration;

use crate::load::{Seen, Situation};
use crate::shared::median;

/// One move of one contender.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// From the beginning of the pause to its end, by whoever makes it.
    pub(crate) paused: Duration,
    pub(crate) seen: Seen,
}

pub(crate) const HEAD: &str = "\
| situation | | paused | longest transaction | longest just before | median transaction | transactions a second | errors |
|---|---|---:|---:|---:|---:|---:|---:|";

/// The middle of all rounds, for each contender; all errors.
pub(crate) fn of(situation: &Situation, rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    let mut text = String::new();
    for name in names {
        let of_name = || rows.iter().filter(|row| row.name == name);
        let middle = |value: fn(&Row) -> Duration| {
            let middle = median(of_name().map(value)).unwrap_or_default();
            format!("{:.1} ms", middle.as_secs_f64() * 1000.0)
        };
        let rates = of_name().map(|row| row.seen.rate as u64);
        text += &format!(
            "| {situation} | {name} | {} | {} | {} | {} | {} | {} |\n",
            middle(|row| row.paused),
            middle(|row| row.seen.longest),
            middle(|row| row.seen.longest_before),
            middle(|row| row.seen.median),
            median(rates).unwrap_or_default(),
            of_name().map(|row| row.seen.errors).sum::<u64>(),
        );
    }
    text
}
