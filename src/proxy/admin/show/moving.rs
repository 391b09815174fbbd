//! Mirrors, and what a cutover looks at.

use std::time::Duration;

use super::{Rows, moment};
use crate::proxy::admin::answer::{Cell, Column, int4, int8, text};
use crate::proxy::control::Facts;
use crate::proxy::registry::{Entry, Replication};

pub(super) const MIRRORS: [Column; 8] = [
    text("name"),
    text("database"),
    text("state"),
    int8("queued"),
    int8("sent"),
    int8("dropped"),
    int8("errors"),
    text("since"),
];

pub(super) const SHADOW: [Column; 6] = [
    text("mirror"),
    text("statement"),
    int8("compared"),
    int8("different"),
    int8("source_us"),
    int8("target_us"),
];

pub(super) const CUTOVER: [Column; 4] = [
    text("stage"),
    text("since"),
    int8("paused_ms"),
    text("detail"),
];

pub(super) const PROXIES: [Column; 7] = [
    int4("pid"),
    text("version"),
    text("listen"),
    text("serves"),
    text("state"),
    int4("clients"),
    text("since"),
];

pub(super) const UNMOVABLE: [Column; 5] = [
    int4("id"),
    text("user"),
    text("database"),
    text("reason"),
    text("since"),
];

pub(super) const REPLICATION: [Column; 5] = [
    text("database"),
    text("slot"),
    text("state"),
    int8("lag_bytes"),
    int8("lag_ms"),
];

pub(super) const TASKS: [Column; 4] = [int4("id"), text("task"), text("state"), text("since")];

/// A transaction that is longer keeps its client from being moved for a time that people notice.
const LONG_TRANSACTION: Duration = Duration::from_secs(1);

/// Mirrors: none are made yet.
pub(super) fn mirrors(_: &Facts) -> Rows {
    nothing()
}

/// Differences that mirrors found: none are made yet.
pub(super) fn shadow(_: &Facts) -> Rows {
    nothing()
}

/// A cutover that runs: none can yet.
pub(super) fn cutover(_: &Facts) -> Rows {
    nothing()
}

/// Change capture that this proxy waits for: none yet.
pub(super) fn replication(_: &Facts) -> Rows {
    nothing()
}

/// What runs in the background: nothing yet.
pub(super) fn tasks(_: &Facts) -> Rows {
    nothing()
}

/// This proxy: it knows of no others yet.
pub(super) fn proxies(facts: &Facts) -> Rows {
    let state = match facts.service.pauses.all_held_for() {
        Some(_) => "paused",
        None => "active",
    };
    let row = vec![
        std::process::id().into(),
        env!("CARGO_PKG_VERSION").into(),
        facts.listen.join(", ").into(),
        "source".into(),
        state.into(),
        facts.service.registry.count().into(),
        moment(facts.since.elapsed()).into(),
    ];
    Box::new(std::iter::once(row))
}

pub(super) fn unmovable(facts: &Facts) -> Rows {
    let clients = facts.service.registry.clients().into_iter();
    Box::new(clients.filter_map(|entry| {
        let (reason, ago) = reason(&entry)?;
        Some(vec![
            entry.id.into(),
            entry.facts.user.as_str().into(),
            entry.facts.database.as_str().into(),
            reason.into(),
            moment(ago).into(),
        ])
    }))
}

/// Why a client could not be moved now, and since when.
fn reason(entry: &Entry) -> Option<(&'static str, Duration)> {
    match entry.facts.replication {
        Replication::Logical | Replication::Physical => {
            Some(("replication connection", entry.since.elapsed()))
        }
        Replication::None => {
            let ago = entry.statistics.in_transaction_for()?;
            (ago > LONG_TRANSACTION).then_some(("long transaction", ago))
        }
    }
}

fn nothing() -> Rows {
    Box::new(std::iter::empty::<Vec<Cell>>())
}
