//! What is printed: tables for people, or one JSON object.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use pgflit::worker::cluster::Programs;
use serde_json::{Value, json};

use crate::Runs;
use crate::contenders::{Contender, From, How};
use crate::lag::Lag;
use crate::options::Options;
use crate::shared::{Result, median};
use crate::watch::{Outcome, Took};
use crate::workloads::Workload;

/// Collects what was measured, and prints it as it comes or, as JSON, at the end.
pub(crate) struct Report {
    is_json: bool,
    about: String,
    workloads: Vec<Value>,
    lags: Vec<Value>,
    /// A line a workload: name, and the middle of each contender that got there.
    middles: Vec<(&'static str, Vec<(How, Took)>)>,
}

impl Report {
    pub(crate) fn new(options: &Options, contenders: &[Contender]) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let version = Programs::find(None)?.version()?;
        let mut others = Vec::new();
        for programs in contenders.iter().filter_map(|of| of.programs.as_deref()) {
            others.push(format!(
                " and {}",
                Programs::find(Some(programs))?.version()?
            ));
        }
        let about = format!(
            "{cores} cores, PostgreSQL {version}{}, fsync off, {} runs, medians, scale {}, {}.",
            others.concat(),
            options.runs,
            options.scale,
            load()
        );
        Ok(Self {
            is_json: options.json,
            about,
            workloads: Vec::new(),
            lags: Vec::new(),
            middles: Vec::new(),
        })
    }

    pub(crate) fn begin(&self) {
        if !self.is_json {
            println!("{}\n", self.about);
        }
    }

    /// One workload.
    pub(crate) fn add(&mut self, workload: &Workload, runs: &[Runs]) {
        let middles: Vec<_> = runs
            .iter()
            .filter_map(|runs| Some((runs.how, middle(runs)?)))
            .collect();
        if self.is_json {
            self.workloads.push(json!({
                "name": workload.name,
                "what": workload.what,
                "transactions": workload.transactions,
                "rows": workload.rows,
                "contenders": runs.iter().map(json_of).collect::<Vec<_>>(),
            }));
        } else {
            println!("{}: {}\n\n{}\n", workload.name, workload.what, {
                table(workload, runs, &middles)
            });
        }
        self.middles.push((workload.name, middles));
    }

    /// All workloads in a line each: how many times pgflit's time the others took.
    pub(crate) fn summarize(&self) {
        if self.is_json || self.middles.len() < 2 {
            return;
        }
        let mut table = plain([
            "",
            "subscription / pgflit, from segments",
            "subscription / pgflit, from the slot",
            "pgflit, from the slot / pg_recvlogical",
            "pgcopydb / pgflit, from segments",
            "pgcopydb / pgflit, from the slot",
        ]);
        const SUBSCRIPTION: How = How::Subscription("");
        let (segments, slot) = (How::Pgflit(From::Segments), How::Pgflit(From::Slot));
        for (name, middles) in &self.middles {
            let ratio = |of: Option<Duration>, to: Option<Duration>| match (of, to) {
                (Some(of), Some(to)) => times(of, to),
                _ => String::new(),
            };
            let wall = |how| wall_of(middles, |one| one == how);
            let floor = wall_of(middles, |how| matches!(how, How::ToFile(_)));
            table.add_row([
                (*name).to_owned(),
                ratio(wall(SUBSCRIPTION), wall(segments)),
                ratio(wall(SUBSCRIPTION), wall(slot)),
                ratio(wall(slot), floor),
                ratio(wall(How::Pgcopydb(From::Segments)), wall(segments)),
                ratio(wall(How::Pgcopydb(From::Slot)), wall(slot)),
            ]);
        }
        println!("{}\n", to_the_right(table));
    }

    /// How soon changes arrived.
    pub(crate) fn lags(&mut self, lags: &[Lag]) {
        let millis = |lag: &Lag, share| lag.at(share).map(|lag| lag.as_secs_f64() * 1000.0);
        if self.is_json {
            self.lags.extend(lags.iter().map(|lag| {
                json!({
                    "contender": lag.name,
                    "rate": lag.rate,
                    "done": lag.done,
                    "p50_ms": millis(lag, 0.5),
                    "p90_ms": millis(lag, 0.9),
                    "p99_ms": millis(lag, 0.99),
                    "max_ms": millis(lag, 1.0),
                    "within_100_ms": lag.soon(),
                })
            }));
            return;
        }
        let mut table = plain([
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
            let at = |share| match millis(lag, share) {
                Some(millis) => format!("{millis:.1} ms"),
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
        println!("From commit to visible on the target, under traffic:\n");
        println!("{}\n", to_the_right(table));
    }

    /// The last word.
    pub(crate) fn end(self) -> Result<()> {
        if self.is_json {
            let all = json!({
                "about": self.about, "workloads": self.workloads, "lags": self.lags,
            });
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
        Ok(())
    }
}

/// How busy the machine is before anything is measured: beside other work, figures say little.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match text.split(' ').next() {
        Some(load) if !load.is_empty() => format!("load {load} before"),
        _ => "load unknown".to_owned(),
    }
}

fn table(workload: &Workload, runs: &[Runs], middles: &[(How, Took)]) -> Table {
    let mut table = plain([
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
    ]);
    let segments = wall_of(middles, |how| how == How::Pgflit(From::Segments));
    let slot = wall_of(middles, |how| how == How::Pgflit(From::Slot));
    for runs in runs {
        let Some(took) = middle(runs) else {
            let mut row = vec![runs.contender.clone(), why_not(runs)];
            row.resize(11, String::new());
            table.add_row(row);
            continue;
        };
        let ratio = |to: Option<Duration>| to.map(|to| times(took.wall, to)).unwrap_or_default();
        let a_second = |count: u64| format!("{:.0}", count as f64 / took.wall.as_secs_f64());
        table.add_row([
            runs.contender.clone(),
            seconds(took.wall),
            ratio(segments),
            ratio(slot),
            a_second(workload.transactions),
            a_second(workload.rows),
            seconds(took.client_cpu),
            seconds(took.source_cpu),
            seconds(took.target_cpu),
            took.memory
                .map(|bytes| format!("{} MB", bytes >> 20))
                .unwrap_or_default(),
            took.prefetch.map(seconds).unwrap_or_default(),
        ]);
    }
    to_the_right(table)
}

/// The middle of each figure; none if a run did not get there.
fn middle(runs: &Runs) -> Option<Took> {
    let mut all = Vec::new();
    for outcome in &runs.outcomes {
        let Outcome::Took(took) = outcome else {
            return None;
        };
        all.push(*took);
    }
    Some(Took {
        wall: median(all.iter().map(|took| took.wall))?,
        ended: median(all.iter().filter_map(|took| took.ended)),
        client_cpu: median(all.iter().map(|took| took.client_cpu))?,
        source_cpu: median(all.iter().map(|took| took.source_cpu))?,
        target_cpu: median(all.iter().map(|took| took.target_cpu))?,
        memory: median(all.iter().filter_map(|took| took.memory)),
        prefetch: median(all.iter().filter_map(|took| took.prefetch)),
    })
}

fn why_not(runs: &Runs) -> String {
    match runs.outcomes.last() {
        Some(Outcome::Over(limit)) => format!("> {} s", limit.as_secs()),
        Some(Outcome::NotEqual(_)) => "not equal".to_owned(),
        _ => "failed".to_owned(),
    }
}

/// The shortest time of those.
fn wall_of(middles: &[(How, Took)], is: impl Fn(How) -> bool) -> Option<Duration> {
    let those = middles.iter().filter(|(how, _)| is(*how));
    those.map(|(_, took)| took.wall).min()
}

fn json_of(runs: &Runs) -> Value {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    let one = |outcome: &Outcome| match outcome {
        Outcome::Over(limit) => json!({ "over_s": limit.as_secs_f64() }),
        Outcome::NotEqual(how) => json!({ "not_equal": how }),
        Outcome::Failed(why) => json!({ "failed": why }),
        Outcome::Took(took) => json!({
            "caught_up_s": took.wall.as_secs_f64(),
            "ended_s": seconds(took.ended),
            "client_cpu_s": took.client_cpu.as_secs_f64(),
            "source_cpu_s": took.source_cpu.as_secs_f64(),
            "target_cpu_s": took.target_cpu.as_secs_f64(),
            "memory_bytes": took.memory,
            "prefetch_s": seconds(took.prefetch),
        }),
    };
    json!({
        "name": runs.contender,
        "runs": runs.outcomes.iter().map(one).collect::<Vec<_>>(),
    })
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}

fn to_the_right(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn times(of: Duration, to: Duration) -> String {
    match to.is_zero() {
        true => String::new(),
        false => format!("{:.2}", of.as_secs_f64() / to.as_secs_f64()),
    }
}
