//! What the benches share: servers, SQL, and what processes took. Each uses some of it.

#![allow(dead_code)]

pub(crate) mod cpu;
pub(crate) mod processes;
pub(crate) mod servers;
pub(crate) mod sql;

/// What can go wrong ends the benchmark.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The middle of them; of an even number, the lower one of the two.
pub(crate) fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    let middle = values.len().checked_sub(1)? / 2;
    values.get(middle).copied()
}
