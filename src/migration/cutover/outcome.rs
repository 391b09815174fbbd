//! What came of moving traffic, for people and scripts.

use super::config::Config;
use super::leg::Leg;
use super::steps::Step;
use crate::base::Side;
use crate::store::Cutover;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The attempt's number.
    pub attempt: u64,
    /// Where traffic goes now.
    pub serves: Side,
    /// Whether it was a rehearsal.
    pub rehearsed: bool,
    /// What was done.
    pub steps: Vec<Step>,
    /// How long clients were held.
    pub held_ms: f64,
    /// How many sequences there are.
    pub sequences: usize,
    /// Clients that could not move, as it was found before anybody was held, and why.
    pub unmovable: Vec<String>,
    /// Who was ended because it was connected past the proxy.
    pub ended: Vec<String>,
    /// What the mirror was not sent, and where row counts differ.
    pub remarks: Vec<String>,
    /// What is on the side that traffic has left alone, as far as it was found afterwards.
    pub left_behind: Vec<String>,
    /// How the way back is resumed, if it stops.
    pub resume_hint: Option<String>,
}

impl Outcome {
    /// Of an attempt that was interrupted, and is done now.
    pub(super) fn recovered(config: &Config, done: &Cutover) -> Self {
        let steps: Vec<Step> = serde_json::from_str(&done.steps).unwrap_or_default();
        let held = steps.iter().filter(|step| step.held);
        Outcome {
            attempt: done.attempt,
            serves: done.to,
            rehearsed: false,
            held_ms: held.map(|step| step.ms).sum(),
            steps,
            sequences: 0,
            unmovable: Vec::new(),
            ended: Vec::new(),
            remarks: Vec::new(),
            left_behind: Vec::new(),
            resume_hint: done.has_way_back.then(|| Leg::back(config).resume_hint()),
        }
    }
}
