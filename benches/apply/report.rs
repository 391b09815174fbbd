//! What was measured, as it comes, in tables; or, at the end, as one JSON object.

use std::time::Duration;

use pgflit::worker::cluster::Programs;
use serde_json::{Value, json};

use crate::contenders::{Contender, How};
use crate::lag::Lag;
use crate::options::Options;
use crate::shared::{Result, median};
use crate::watch::{Outcome, Took};
use crate::workloads::Workload;
use crate::{json, table};

/// How a contender's runs of a workload went.
pub(crate) struct Runs {
    pub(crate) contender: String,
    pub(crate) how: How,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Runs {
    /// Whether another run would tell nothing new.
    pub(crate) fn is_out(&self) -> bool {
        !matches!(self.outcomes.last(), None | Some(Outcome::Took(_)))
    }

    /// The middle of each figure; none if a run did not get there.
    pub(crate) fn middle(&self) -> Option<Took> {
        let took = |outcome: &Outcome| match outcome {
            Outcome::Took(took) => Some(*took),
            _ => None,
        };
        let all: Option<Vec<_>> = self.outcomes.iter().map(took).collect();
        let all = all?;
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
}

/// A workload's contenders, those that got there.
pub(crate) struct Middles {
    pub(crate) workload: &'static str,
    pub(crate) all: Vec<(How, Took)>,
}

impl Middles {
    /// The shortest time of those.
    pub(crate) fn wall(&self, is: impl Fn(How) -> bool) -> Option<Duration> {
        let those = self.all.iter().filter(|(how, _)| is(*how));
        those.map(|(_, took)| took.wall).min()
    }
}

/// Collects and prints.
pub(crate) struct Report {
    is_json: bool,
    about: String,
    workloads: Vec<Value>,
    lags: Vec<Value>,
    middles: Vec<Middles>,
}

impl Report {
    pub(crate) fn new(options: &Options, contenders: &[Contender]) -> Result<Self> {
        Ok(Self {
            is_json: options.json,
            about: about(options, contenders)?,
            workloads: Vec::new(),
            lags: Vec::new(),
            middles: Vec::new(),
        })
    }

    /// What it is run on.
    pub(crate) fn begin(&self) {
        if !self.is_json {
            println!("{}\n", self.about);
        }
    }

    /// One workload.
    pub(crate) fn add(&mut self, workload: &Workload, runs: &[Runs]) {
        let got_there = runs
            .iter()
            .filter_map(|runs| Some((runs.how, runs.middle()?)));
        let middles = Middles {
            workload: workload.name,
            all: got_there.collect(),
        };
        match self.is_json {
            true => self.workloads.push(json::workload(workload, runs)),
            false => println!("{}", table::workload(workload, runs, &middles)),
        }
        self.middles.push(middles);
    }

    /// All workloads beside each other.
    pub(crate) fn summarize(&self) {
        if !self.is_json && self.middles.len() > 1 {
            println!("{}", table::summary(&self.middles));
        }
    }

    /// How soon changes arrived.
    pub(crate) fn lags(&mut self, lags: &[Lag]) {
        match self.is_json {
            true => self.lags.extend(lags.iter().map(json::lag)),
            false => println!("{}", table::lags(lags)),
        }
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

/// The machine, the servers, and how busy it is before anything is measured: beside other work,
/// figures say little.
fn about(options: &Options, contenders: &[Contender]) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let mut versions = vec![Programs::find(None)?.version()?];
    for programs in contenders.iter().filter_map(|of| of.programs.as_deref()) {
        versions.push(Programs::find(Some(programs))?.version()?);
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Ok(format!(
        "{cores} cores, PostgreSQL {}, {} runs, medians, scale {}, load average {} before.",
        versions.join(" and "),
        options.runs,
        options.scale,
        load.split(' ').next().unwrap_or_default()
    ))
}
