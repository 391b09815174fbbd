//! Apply beside PostgreSQL's own logical replication, its peer and its limit, in one run on one
//! machine; and how soon changes arrive under traffic.
//!
//! `make bench-apply`, or `cargo bench --bench apply -- --only W1,W4 --runs 3`. For each workload two
//! throw-away clusters, equal at first; then the source makes its transactions once, and everybody
//! is given the same ones, from a slot that stands before them, with a fresh target each. The
//! middle of the rounds is printed. How to read it: `docs/benchmarks.md`.

mod backlog;
mod contenders;
mod json;
mod lag;
mod options;
mod report;
mod servers;
#[path = "../shared/mod.rs"]
mod shared;
mod table;
mod watch;
mod workloads;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use backlog::Backlog;
use contenders::{Contender, How};
use options::Options;
use report::Runs;
use shared::Result;
use watch::Outcome;
use workloads::Workload;

/// Those that take this many times as long as pgflit are not waited for.
const SLOWER_MAX: u32 = 10;
/// But everybody is given this long.
const LIMIT_MIN: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let workloads = Workload::all(options.scale).into_iter();
    let workloads: Vec<_> = workloads.filter(|all| options.wants(all.name)).collect();
    let contenders = match workloads.is_empty() {
        true => Vec::new(),
        false => contenders::all(options),
    };
    let mut report = report::Report::new(options, &contenders)?;
    report.begin();
    for workload in &workloads {
        let runs = measure(workload, &contenders, options)?;
        report.add(workload, &runs);
    }
    report.summarize();
    if options.wants("lag") {
        report.lags(&lag::measure(options)?);
    }
    report.end()
}

/// Every contender, as often as there are rounds; each round begins with the next of them.
fn measure(workload: &Workload, contenders: &[Contender], options: &Options) -> Result<Vec<Runs>> {
    let folder = tempfile::tempdir()?;
    let backlogs = Backlogs::make(workload, contenders, options, folder.path())?;
    let mut all: Vec<_> = contenders
        .iter()
        .map(|contender| Runs {
            contender: contender.name.clone(),
            how: contender.how,
            outcomes: Vec::new(),
        })
        .collect();
    for run in 0..options.runs {
        for turn in 0..contenders.len() {
            let at = (run + turn) % contenders.len();
            let (contender, limit) = (&contenders[at], limit(&all, options));
            if all[at].is_out() {
                continue;
            }
            let what = format!("{}, run {}: {}", workload.name, run + 1, contender.name);
            eprintln!("{what}");
            let outcome = match backlogs.of(contender) {
                Some(backlog) => contender.run(backlog, options, limit),
                None => Outcome::Failed("no backlog for it".to_owned()),
            };
            match &outcome {
                Outcome::Took(took) => eprintln!("  {:.2} s", took.wall.as_secs_f64()),
                Outcome::NotEqual(how, _) => eprintln!("  not equal: {how}"),
                Outcome::Failed(why) => eprintln!("  failed: {why}"),
                Outcome::Over(..) => eprintln!("  takes too long, stopped"),
            }
            all[at].outcomes.push(outcome);
        }
    }
    Ok(all)
}

/// What a run may take, by what pgflit took.
fn limit(all: &[Runs], options: &Options) -> Duration {
    let pgflits = all.iter().filter(|runs| matches!(runs.how, How::Pgflit(_)));
    let took = pgflits
        .flat_map(|runs| &runs.outcomes)
        .filter_map(|outcome| match outcome {
            Outcome::Took(took) => Some(took.wall),
            _ => None,
        });
    match took.max() {
        Some(took) => (took * SLOWER_MAX).clamp(LIMIT_MIN.min(options.limit), options.limit),
        None => options.limit,
    }
}

/// One for each version of the servers.
struct Backlogs(Vec<(Option<PathBuf>, Backlog)>);

impl Backlogs {
    fn make(
        workload: &Workload,
        contenders: &[Contender],
        options: &Options,
        folder: &std::path::Path,
    ) -> Result<Self> {
        let mut backlogs = Vec::new();
        for contender in contenders {
            let programs = &contender.programs;
            if backlogs.iter().any(|(made, _)| made == programs) {
                continue;
            }
            eprintln!("{}, making {}", workload.name, workload.what);
            let readers = match programs {
                None => contenders::readers(contenders),
                Some(_) => backlog::Readers::default(),
            };
            let folder = folder.join(backlogs.len().to_string());
            std::fs::create_dir(&folder)?;
            let backlog = Backlog::make(
                workload,
                programs.as_deref(),
                &folder,
                readers,
                &options.program,
            )?;
            backlogs.push((programs.clone(), backlog));
        }
        Ok(Self(backlogs))
    }

    fn of(&self, contender: &Contender) -> Option<&Backlog> {
        let same = |(programs, _): &&(Option<PathBuf>, Backlog)| *programs == contender.programs;
        self.0.iter().find(same).map(|(_, backlog)| backlog)
    }
}
