//! Whatever is killed whenever, going on ends exact.

mod cells;
mod fault_matrix;
mod held_ledger;
mod parts_of_two_moments;
mod random_kills;

use crate::support::Pair;

/// After a cleanup.
#[track_caller]
fn nothing_is_left(pair: &Pair) {
    let on_source = "SELECT (SELECT count(*) FROM pg_replication_slots)
                          + (SELECT count(*) FROM pg_publication)";
    let on_target = "SELECT (SELECT count(*) FROM pg_replication_origin)
                          + (SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit')";
    assert_eq!(pair.source.number(on_source), 0, "left on the source");
    assert_eq!(pair.target.number(on_target), 0, "left on the target");
    assert!(!pair.dir().join("pgflit.db").exists());
}
