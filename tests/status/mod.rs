//! `pgflit status`: where everything stands, whatever that is.

#[cfg(feature = "tui")]
mod dashboard;
mod disk;
mod running;

use serde_json::Value;

use crate::support::{Pair, pgflit};

/// What is told of the migration between `pair`.
#[track_caller]
fn status(pair: &Pair) -> Value {
    let told = pgflit("status --json").dir(pair.dir()).run();
    let told = told.assert_code(0);
    assert_eq!(told.stderr, "");
    serde_json::from_str(&told.stdout).expect("JSON")
}

/// The same for people.
#[track_caller]
fn shown(pair: &Pair) -> String {
    let shown = pgflit("status").dir(pair.dir()).run();
    shown.assert_code(0).stdout
}
