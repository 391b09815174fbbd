//! Mirrors, and what a cutover looks at.

use std::time::Duration;

use super::{Rows, moment};
use crate::proxy::admin::answer::{Cell, Column, int4, int8, numeric, text};
use crate::proxy::config::databases::ANY;
use crate::proxy::control::{Facts, MirrorStatus};
use crate::proxy::pause::Hold;
use crate::proxy::registry::{Entry, Replication};

pub(super) const MIRRORS: [Column; 14] = [
    text("name"),
    text("database"),
    text("mode"),
    numeric("exposure"),
    int8("transactions"),
    int8("completed"),
    int8("outstanding"),
    int8("dropped"),
    int8("not_sampled"),
    int8("skipped"),
    int8("errors"),
    int8("refused_writes"),
    int8("connections"),
    int8("differences"),
];

pub(super) const SHADOW: [Column; 10] = [
    text("mirror"),
    text("statement"),
    int8("compared"),
    int8("differences"),
    text("kinds"),
    int8("passing"),
    int8("unconfirmed"),
    int8("p99_us"),
    int8("mirror_p99_us"),
    numeric("p99_ratio"),
];

pub(super) const PROXIES: [Column; 7] = [
    text("name"),
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

/// A transaction that is longer keeps its client from being moved for a time that people notice.
const LONG_TRANSACTION: Duration = Duration::from_secs(1);

/// Mirrors, in the order of the configuration.
pub(super) fn mirrors(facts: &Facts) -> Rows {
    let settings = facts.service.settings();
    let mirrors = settings.mirrors.clone();
    Box::new(mirrors.into_iter().map(move |mirror| {
        let config = &mirror.config;
        let told = MirrorStatus::of(&mirror, &settings.config.databases);
        let databases = match config.databases.is_empty() {
            true => ANY.to_owned(),
            false => config.databases.join(","),
        };
        vec![
            told.name.into(),
            databases.into(),
            told.mode.into(),
            format!("{:.4}", told.exposure).into(),
            told.transactions.into(),
            told.completed.into(),
            told.outstanding.into(),
            told.dropped.into(),
            told.not_sampled.into(),
            told.skipped.into(),
            told.errors.into(),
            told.refused_writes.into(),
            told.connections.into(),
            told.differences.into(),
        ]
    }))
}

/// The statements of each mirror that are worth looking at, those first that differ most.
pub(super) fn shadow(facts: &Facts) -> Rows {
    let settings = facts.service.settings();
    let mirrors = settings.mirrors.clone();
    Box::new(mirrors.into_iter().flat_map(move |mirror| {
        let told = MirrorStatus::of(&mirror, &settings.config.databases);
        let micros = |millis: Option<f64>| millis.map(|millis| (millis * 1000.0).round() as u64);
        told.worst.into_iter().map(move |one| {
            let kinds: Vec<_> = one.differences_by_kind.into_keys().collect();
            vec![
                told.name.as_str().into(),
                one.statement.into(),
                one.compared.into(),
                one.differences.into(),
                kinds.join(",").into(),
                one.passing.into(),
                one.unconfirmed.into(),
                micros(one.p99_ms).into(),
                micros(one.mirror_p99_ms).into(),
                one.p99_ratio.map(|ratio| format!("{ratio:.2}")).into(),
            ]
        })
    }))
}

/// This proxy, and those of other machines that take part in the same migration.
pub(super) fn proxies(facts: &Facts) -> Rows {
    let pauses = &facts.service.pauses;
    let state = match (pauses.held_for(&Hold::Lease), pauses.all_held_for()) {
        (Some(_), _) => "waits for a server to say where traffic goes",
        (None, Some(_)) => "paused",
        (None, None) => "active",
    };
    let membership = facts.membership.as_ref();
    let name = membership.map_or_else(
        || std::process::id().to_string(),
        |membership| membership.card.name.clone(),
    );
    let own = vec![
        name.into(),
        env!("CARGO_PKG_VERSION").into(),
        facts.listen.join(", ").into(),
        facts.service.registry.turns().side().as_str().into(),
        state.into(),
        facts.service.registry.count().into(),
        moment(facts.since.elapsed()).into(),
    ];
    let others = membership.map(|membership| membership.others());
    let others = others.unwrap_or_default().into_iter().map(|other| {
        let state = match other.is_there() {
            true => "heard",
            false => "silent",
        };
        vec![
            other.name.into(),
            other.version.into(),
            other.listen.into(),
            Cell::Null,
            state.into(),
            Cell::Null,
            moment(other.silent).into(),
        ]
    });
    Box::new(std::iter::once(own).chain(others))
}

pub(super) fn unmovable(facts: &Facts) -> Rows {
    let clients = facts.service.registry.clients().into_iter();
    let settings = facts.service.settings();
    Box::new(clients.filter_map(move |entry| {
        let has_target = settings.config.has_target(&entry.facts.database);
        let (reason, ago) = reason(&entry, has_target)?;
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
fn reason(entry: &Entry, has_target: bool) -> Option<(String, Duration)> {
    let age = entry.since.elapsed();
    if entry.facts.replication != Replication::None {
        return Some(("replication connection".to_owned(), age));
    }
    if has_target && entry.server().is_some() && !entry.may_move() {
        return Some(("login that the proxy has only carried".to_owned(), age));
    }
    let holds = entry.survey.holds().unwrap_or_default();
    if has_target && !holds.is_empty() {
        return Some((format!("holds {}", holds.join(", ")), age));
    }
    let ago = entry.statistics.in_transaction_for()?;
    (ago > LONG_TRANSACTION).then(|| ("long transaction".to_owned(), ago))
}
