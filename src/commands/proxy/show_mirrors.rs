//! Mirrors on a screen.

use std::collections::BTreeMap;

use crate::proxy::control::{MirrorStatus, StatementStatus};
use crate::report::listing::{Column, table};

/// Statements that are printed of each mirror; `--json` has more.
const STATEMENTS_MAX: usize = 15;

/// A block for each mirror.
pub(super) fn mirrors(mirrors: &[MirrorStatus]) -> String {
    if mirrors.is_empty() {
        return "there are no mirrors\n".to_owned();
    }
    let first = mirrors.first().map(|mirror| mirror.proxy_pid);
    let are_several = mirrors.iter().any(|one| Some(one.proxy_pid) != first);
    let blocks = mirrors.iter().map(|one| mirror(one, are_several));
    let blocks: Vec<String> = blocks.collect();
    blocks.join("\n")
}

fn mirror(mirror: &MirrorStatus, tells_process: bool) -> String {
    let process = match tells_process {
        true => format!(", process {}", mirror.proxy_pid),
        false => String::new(),
    };
    let lines = [
        (
            "mirror",
            format!(
                "{}, mode {}, {} % of transactions, {} connections{process}",
                mirror.name,
                mirror.mode,
                mirror.exposure * 100.0,
                mirror.connections
            ),
        ),
        (
            "transactions",
            format!(
                "{}: {} completed, {} outstanding, {} dropped{}, {} not sampled, {} skipped",
                mirror.transactions,
                mirror.completed,
                mirror.outstanding,
                mirror.dropped,
                listed(&mirror.dropped_by_reason),
                mirror.not_sampled,
                mirror.skipped
            ),
        ),
        (
            "statements",
            format!(
                "{}: {} failed{}, {} refused as writes",
                mirror.statements,
                mirror.errors,
                listed(&mirror.errors_by_sqlstate),
                mirror.refused_writes
            ),
        ),
        (
            "compared",
            format!(
                "{}: {} differences, {} passing, {} unconfirmed",
                mirror.compared, mirror.differences, mirror.passing, mirror.unconfirmed
            ),
        ),
    ];
    let lines = lines
        .iter()
        .map(|(name, value)| format!("{name:<13} {value}\n"));
    let mut text: String = lines.collect();
    if mirror.failed_connections > 0 {
        let count = mirror.failed_connections;
        text += &format!("{:<13} {count} times\n", "unreachable");
    }
    let worst = mirror.worst.get(..STATEMENTS_MAX).unwrap_or(&mirror.worst);
    if !worst.is_empty() {
        text += &statements(worst);
    }
    text
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    match counts.is_empty() {
        true => String::new(),
        false => format!(" ({})", counts.join(", ")),
    }
}

fn hundredths(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.2}")).unwrap_or_default()
}

fn statements(statements: &[StatementStatus]) -> String {
    let columns = [
        Column::number("Compared", |one: &StatementStatus| one.compared.to_string()),
        Column::number("Different", |one| one.differences.to_string()),
        Column::text("In", |one| {
            let kinds: Vec<_> = one.differences_by_kind.keys().cloned().collect();
            kinds.join(", ")
        }),
        Column::number("p50 ms", |one| hundredths(one.p50_ms)),
        Column::number("mirror", |one| hundredths(one.mirror_p50_ms)),
        Column::number("p99 ms", |one| hundredths(one.p99_ms)),
        Column::number("mirror", |one| hundredths(one.mirror_p99_ms)),
        Column::number("Ratio", |one| hundredths(one.p99_ratio)),
        Column::text("Statement", |one| one.statement.clone()),
    ];
    table(&columns, statements)
}
