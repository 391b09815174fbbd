//! What a report of a migration is made of, all of it from disk.
//!
//! No server is asked: a report is wanted most when something is broken, or when everything is over.
//! Only a proxy that runs is asked how its mirrors do, over its socket in the work directory. What
//! cannot be read of the lesser things (logs, mirrors, the streams of a cutover) is left out of the
//! report, and said in it.

mod gather;
mod log_tail;

use crate::migration::cutover::steps::Step;
use crate::migration::summary::{StepSummary, TableSummary};
use crate::proxy::control::MirrorStatus;
use crate::report::progress::{Picture, State};
use crate::store::{CommandRun, PastCutover, Run, RunTimes, Sample, Sentinel, StepTimes};

pub use gather::gather;
pub use log_tail::{LogTail, Warning};

/// Everything that a report tells.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When they were gathered, in seconds since 1970.
    pub made_at: f64,
    /// The work directory.
    pub work_dir: String,
    /// What the migration was begun with.
    pub run: Run,
    /// When it was begun and ended.
    pub times: RunTimes,
    /// Whether somebody is at it.
    pub state: State,
    /// How far the base copy is.
    pub picture: Picture,
    /// The tables of which something was copied, the most bytes first.
    pub tables: Vec<TableSummary>,
    /// When each step was.
    pub steps: Vec<StepTimes>,
    /// What the summary of the copy says of each, if it is written.
    pub step_summaries: Vec<StepSummary>,
    /// Change capture: the migration's own, and what cutovers and rollbacks have begun.
    pub streams: Vec<Stream>,
    /// Attempts to move traffic, in order.
    pub attempts: Vec<Attempt>,
    /// Earlier attempts that are not told.
    pub attempts_left_out: u64,
    /// How many objects, and tables' rows, the filters leave out.
    pub left_out: (usize, usize),
    /// Changes that found the target otherwise than the source was.
    pub conflicts: u64,
    /// How the mirrors of a proxy do; none if none answers.
    pub mirrors: Option<Vec<MirrorStatus>>,
    /// What the logs warn of.
    pub log: LogTail,
    /// What was run.
    pub commands: Vec<CommandRun>,
}

/// One stream of changes.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its folder in the work directory; none for the migration's own.
    pub folder: Option<&'static str>,
    /// How far it was, from moment to moment.
    pub samples: Vec<Sample>,
    /// Where it stands.
    pub sentinel: Option<Sentinel>,
}

/// One attempt to move traffic.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What the store says of it.
    pub past: PastCutover,
    /// What was done, and how long it took.
    pub steps: Vec<Step>,
}

impl Attempt {
    /// How long clients waited, in milliseconds.
    pub fn held_ms(&self) -> f64 {
        let held = self.steps.iter().filter(|step| step.held);
        held.map(|step| step.ms).sum()
    }

    /// How long all of it took.
    pub fn took_ms(&self) -> f64 {
        self.steps.iter().map(|step| step.ms).sum()
    }
}
