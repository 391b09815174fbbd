//! How long each step took.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// One step that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub ms: f64,
    /// Whether clients waited meanwhile.
    pub held: bool,
}

/// The steps so far.
#[derive(Debug)]
pub struct Steps {
    done: Vec<Step>,
    since: Instant,
}

impl Default for Steps {
    fn default() -> Self {
        Steps {
            done: Vec::new(),
            since: Instant::now(),
        }
    }
}

impl Steps {
    /// What began when the last one ended is done.
    pub fn done(&mut self, name: &str, held: bool) {
        let ms = self.since.elapsed().as_secs_f64() * 1000.0;
        self.since = Instant::now();
        tracing::info!(
            "{name}: {ms:.1} ms{}",
            if held { ", clients waiting" } else { "" }
        );
        self.done.push(Step {
            name: name.to_owned(),
            ms,
            held,
        });
    }

    /// In their order.
    pub fn all(&self) -> &[Step] {
        &self.done
    }

    /// How long clients waited for all of it.
    pub fn held_ms(&self) -> f64 {
        let held = self.done.iter().filter(|step| step.held);
        held.map(|step| step.ms).sum()
    }

    /// For the store.
    pub fn json(&self) -> String {
        // Names and numbers: it cannot fail.
        serde_json::to_string(&self.done).unwrap_or_default()
    }
}
