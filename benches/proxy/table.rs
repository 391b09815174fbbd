//! The tables that are printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::Servers;
use crate::bulk::Took;
use crate::contenders::Contender;
use crate::load::{Load, Measured};
use crate::options::Options;
use crate::shared::Result;

/// What it was run on.
pub(crate) fn about(servers: &Servers, options: &Options) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "{cores} cores, {}, fsync off, scale {}, {} s a load, {} runs, medians.\n",
        servers.server.programs().version()?,
        options.scale,
        options.seconds,
        options.runs,
    ))
}

/// One load: a line a contender.
pub(crate) fn of_load(load: &Load, contenders: &[Contender], rounds: &[Vec<Measured>]) -> String {
    let mut table = table(["", "tps", "p50", "p99", "CPU a transaction", "× CPU"]);
    let middles: Vec<_> = rounds.iter().map(|runs| middle(runs)).collect();
    let own = contenders.iter().position(|one| one.name == "pgflit");
    let own = own.and_then(|at| middles[at].cpu);
    for (contender, took) in contenders.iter().zip(&middles) {
        table.add_row([
            contender.name.to_owned(),
            format!("{:.0}", took.rate),
            micros(took.p50),
            micros(took.p99),
            took.cpu.map(micros).unwrap_or_default(),
            ratio(took.cpu, own),
        ]);
    }
    format!("{load}\n\n{}\n", aligned(table))
}

/// COPY: a line a contender.
pub(crate) fn of_copy(contenders: &[Contender], took: &[Took]) -> String {
    let mut table = table(["", "out", "MB/s", "× direct", "in", "MB/s", "× direct"]);
    let direct = contenders.iter().position(|one| one.name == "direct");
    let direct = direct.map(|at| &took[at]);
    let rate =
        |took: Duration, bytes: u64| format!("{:.0}", bytes as f64 / 1e6 / took.as_secs_f64());
    for (contender, one) in contenders.iter().zip(took) {
        table.add_row([
            contender.name.to_owned(),
            format!("{:.2} s", one.out.as_secs_f64()),
            rate(one.out, one.bytes),
            ratio(Some(one.out), direct.map(|direct| direct.out)),
            format!("{:.2} s", one.back.as_secs_f64()),
            rate(one.back, one.bytes),
            ratio(Some(one.back), direct.map(|direct| direct.back)),
        ]);
    }
    let megabytes = took.first().map_or(0, |one| one.bytes / 1_000_000);
    format!("COPY of {megabytes} MB\n\n{}\n", aligned(table))
}

fn middle(runs: &[Measured]) -> Measured {
    let of = |value: fn(&Measured) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
            .get((values.len().max(1) - 1) / 2)
            .copied()
            .unwrap_or_default()
    };
    Measured {
        rate: of(|run| run.rate),
        p50: Duration::from_secs_f64(of(|run| run.p50.as_secs_f64())),
        p99: Duration::from_secs_f64(of(|run| run.p99.as_secs_f64())),
        cpu: runs
            .first()
            .and_then(|run| run.cpu)
            .map(|_| Duration::from_secs_f64(of(|run| run.cpu.unwrap_or_default().as_secs_f64()))),
    }
}

fn table<const N: usize>(heads: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(heads);
    table
}

fn aligned(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn micros(time: Duration) -> String {
    match time < Duration::from_millis(10) {
        true => format!("{:.1} µs", time.as_secs_f64() * 1e6),
        false => format!("{:.1} ms", time.as_secs_f64() * 1e3),
    }
}

fn ratio(of: Option<Duration>, to: Option<Duration>) -> String {
    let both = of.zip(to).filter(|(_, to)| !to.is_zero());
    both.map(|(of, to)| format!("{:.2}", of.as_secs_f64() / to.as_secs_f64()))
        .unwrap_or_default()
}
