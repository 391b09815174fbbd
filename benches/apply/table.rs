//! The tables that are printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::contenders::{How, Start};
use crate::lag::Lag;
use crate::report::{Middles, Runs};
use crate::watch::{Outcome, Step};
use crate::workloads::Workload;

/// A line a contender, and how they stand to pgflit.
pub(crate) fn workload(workload: &Workload, runs: &[Runs], middles: &Middles) -> String {
    const COLUMNS: [&str; 11] = [
        "",
        "caught up",
        "× segments",
        "× slot",
        "transactions/s",
        "rows/s",
        "client CPU",
        "source CPU",
        "target CPU",
        "memory",
        "prefetch",
    ];
    let mut table = with_header(COLUMNS);
    let segments = middles.wall(|how| how == SEGMENTS);
    let slot = middles.wall(|how| how == SLOT);
    for runs in runs {
        let Some(took) = runs.middle() else {
            let mut row = vec![runs.contender.clone(), why_not(runs)];
            row.resize(COLUMNS.len(), String::new());
            table.add_row(row);
            continue;
        };
        let a_second = |count: u64| format!("{:.0}", count as f64 / took.wall.as_secs_f64());
        let memory = took.memory.map(|bytes| format!("{} MB", bytes >> 20));
        table.add_row([
            runs.contender.clone(),
            seconds(took.wall),
            ratio(Some(took.wall), segments),
            ratio(Some(took.wall), slot),
            a_second(workload.transactions),
            a_second(workload.rows),
            seconds(took.client_cpu),
            seconds(took.source_cpu),
            seconds(took.target_cpu),
            memory.unwrap_or_default(),
            took.prefetch.map(seconds).unwrap_or_default(),
        ]);
    }
    format!(
        "{}: {}, fsync off:\n\n{table}\n",
        workload.name, workload.what
    )
}

/// All workloads in a line each: how many times the one's time the other took.
pub(crate) fn summary(middles: &[Middles]) -> String {
    let mut table = with_header([
        "",
        "subscription / pgflit, from segments",
        "subscription / pgflit, from the slot",
        "pgflit, from the slot / pg_recvlogical",
        "pgcopydb / pgflit, from segments",
        "pgcopydb / pgflit, from the slot",
    ]);
    for middles in middles {
        let wall = |how| middles.wall(|one| one == how);
        let floor = middles.wall(|how| matches!(how, How::ToFile(_)));
        table.add_row([
            middles.workload.to_owned(),
            ratio(wall(How::Subscription("")), wall(SEGMENTS)),
            ratio(wall(How::Subscription("")), wall(SLOT)),
            ratio(wall(SLOT), floor),
            ratio(wall(How::Pgcopydb(Start::Segments)), wall(SEGMENTS)),
            ratio(wall(How::Pgcopydb(Start::Slot)), wall(SLOT)),
        ]);
    }
    format!("{table}\n")
}

/// A line a contender and rate.
pub(crate) fn lags(lags: &[Lag]) -> String {
    let mut table = with_header([
        "",
        "rate",
        "p50",
        "p90",
        "p99",
        "max",
        "within 100 ms",
        "transactions a second",
    ]);
    for lag in lags {
        let at = |share| match lag.at(share) {
            Some(lag) => format!("{:.1} ms", lag.as_secs_f64() * 1000.0),
            None => "none".to_owned(),
        };
        table.add_row([
            lag.name.to_owned(),
            lag.rate.to_string(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
            format!("{:.2} %", lag.soon()),
            format!("{:.0}", lag.done),
        ]);
    }
    format!("From commit to visible on the target, under traffic, fsync on:\n\n{table}\n")
}

const SEGMENTS: How = How::Pgflit(Start::Segments);
const SLOT: How = How::Pgflit(Start::Slot);

fn why_not(runs: &Runs) -> String {
    match runs.outcomes.last() {
        Some(Outcome::Over(Step::Apply, limit)) => format!("> {} s", limit.as_secs()),
        Some(Outcome::Over(Step::Prefetch, limit)) => format!("prefetch > {} s", limit.as_secs()),
        Some(Outcome::NotEqual(_, after)) => format!("not equal, {}", seconds(*after)),
        Some(Outcome::Failed(_) | Outcome::Took(_)) | None => "failed".to_owned(),
    }
}

/// All columns but the first to the right.
fn with_header<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// How many times; nothing if one of them is not known.
fn ratio(of: Option<Duration>, to: Option<Duration>) -> String {
    match (of, to) {
        (Some(of), Some(to)) if !to.is_zero() => {
            format!("{:.2}", of.as_secs_f64() / to.as_secs_f64())
        }
        _ => String::new(),
    }
}
