//! The tables that are printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::Servers;
use crate::contenders::Contender;
use crate::datasets::Dataset;
use crate::measure::Measured;
use crate::options::Options;
use crate::shared::{Result, median};

/// What it was run on.
pub(crate) fn about(
    servers: &Servers,
    contenders: &[Contender],
    options: &Options,
) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let mut versions: Vec<_> = contenders
        .iter()
        .map(|contender| format!("{} {}", first_word(&contender.name), contender.version))
        .collect();
    versions.dedup();
    Ok(format!(
        "{cores} cores, {}, fsync off, {} jobs, {} runs, medians. {}.\n",
        servers.target.programs().version()?,
        options.jobs,
        options.runs,
        versions.join("; ")
    ))
}

fn first_word(name: &str) -> &str {
    name.split([' ', ',']).next().unwrap_or(name)
}

/// One data set: a line a contender, and how they stand to pgflit.
pub(crate) fn of(dataset: &Dataset, contenders: &[Contender], rounds: &[Vec<Measured>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["", "wall", "×", "rows", "client CPU", "×", "memory"]);
    let middle = |runs: &[Measured]| Middle {
        wall: median(runs.iter().map(|run| run.wall)).unwrap_or_default(),
        rows: median(runs.iter().filter_map(|run| run.rows)),
        cpu: median(runs.iter().map(|run| run.cpu)).unwrap_or_default(),
        memory: median(runs.iter().map(|run| run.memory)).unwrap_or_default(),
    };
    let middles: Vec<_> = rounds.iter().map(|runs| middle(runs)).collect();
    for (contender, took) in contenders.iter().zip(&middles) {
        if !contender.takes(dataset) {
            continue;
        }
        let ratio = |of: fn(&Middle) -> Duration| match middles.first().map(of) {
            Some(first) if !first.is_zero() => {
                format!("{:.2}", of(took).as_secs_f64() / first.as_secs_f64())
            }
            _ => String::new(),
        };
        table.add_row([
            contender.name.clone(),
            seconds(took.wall),
            ratio(|middle| middle.wall),
            took.rows.map(seconds).unwrap_or_default(),
            seconds(took.cpu),
            ratio(|middle| middle.cpu),
            format!("{} MB", took.memory >> 20),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n\n{table}\n", dataset.what)
}

struct Middle {
    wall: Duration,
    rows: Option<Duration>,
    cpu: Duration,
    memory: u64,
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
