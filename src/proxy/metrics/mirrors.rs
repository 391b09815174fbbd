//! What is told of mirrors.

use super::exposition::{Exposition, Type};
use crate::proxy::control::{Facts, MirrorStatus};
use crate::proxy::mirror::counters::DropReason;

/// Every mirror. Without any there is nothing to tell.
pub(super) fn tell(out: &mut Exposition, facts: &Facts) {
    let settings = facts.service.settings();
    let mirrors = settings.mirrors.iter();
    let told: Vec<_> = mirrors
        .map(|mirror| MirrorStatus::of(mirror, &settings.config.databases))
        .collect();
    if told.is_empty() {
        return;
    }
    let mut family = out.family(
        "pgflit_proxy_mirror_transactions_total",
        Type::Counter,
        "Transactions of clients by what became of them on the mirror.",
    );
    for one in &told {
        for (outcome, count) in [
            ("completed", one.completed),
            ("not_sampled", one.not_sampled),
            ("skipped", one.skipped),
        ] {
            family.sample(&[("mirror", &one.name), ("outcome", outcome)], count);
        }
    }
    let mut family = out.family(
        "pgflit_proxy_mirror_dropped_total",
        Type::Counter,
        "Transactions that the mirror was not sent, or not to their end, by reason.",
    );
    for one in &told {
        // Those that never happened, too: a rate is taken from the first.
        for reason in DropReason::ALL.map(DropReason::as_str) {
            let count = one.dropped_by_reason.get(reason).unwrap_or(&0);
            family.sample(&[("mirror", &one.name), ("reason", reason)], count);
        }
    }
    let mut family = out.family(
        "pgflit_proxy_mirror_errors_total",
        Type::Counter,
        "Statements that failed on the mirror, by SQLSTATE.",
    );
    for one in &told {
        for (sqlstate, count) in &one.errors_by_sqlstate {
            family.sample(&[("mirror", &one.name), ("sqlstate", sqlstate)], count);
        }
    }
    for (name, kind, help, value) in [
        (
            "pgflit_proxy_mirror_outstanding",
            Type::Gauge,
            "Transactions that wait for the mirror or are on their way.",
            (|one| one.outstanding) as fn(&MirrorStatus) -> u64,
        ),
        (
            "pgflit_proxy_mirror_waiting_bytes",
            Type::Gauge,
            "Memory of what waits for the mirror.",
            |one| one.waiting_bytes,
        ),
        (
            "pgflit_proxy_mirror_connections",
            Type::Gauge,
            "Connections to the mirror.",
            |one| one.connections,
        ),
        (
            "pgflit_proxy_mirror_connections_failed_total",
            Type::Counter,
            "Times that the mirror could not be connected to.",
            |one| one.failed_connections,
        ),
        (
            "pgflit_proxy_mirror_statements_total",
            Type::Counter,
            "Statements that the mirror has answered.",
            |one| one.statements,
        ),
        (
            "pgflit_proxy_mirror_refused_writes_total",
            Type::Counter,
            "Statements that the mirror refused because its sessions may only read.",
            |one| one.refused_writes,
        ),
    ] {
        let mut family = out.family(name, kind, help);
        for one in &told {
            family.sample(&[("mirror", &one.name)], value(one));
        }
    }
    let mut family = out.family(
        "pgflit_proxy_shadow_answers_total",
        Type::Counter,
        "Answers of the mirror that were compared, by what was found: different, passing and \
         unconfirmed are parts of compared.",
    );
    for one in &told {
        for (found, count) in [
            ("compared", one.compared),
            ("different", one.differences),
            ("passing", one.passing),
            ("unconfirmed", one.unconfirmed),
        ] {
            family.sample(&[("mirror", &one.name), ("found", found)], count);
        }
    }
}
