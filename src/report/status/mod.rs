//! Where everything stands, shown: one screen, a dashboard, Prometheus' text.
//!
//! - `section`: what is said, in which words;
//! - [`text()`]: the screen, once; [`line()`]: the same in one line, for logs;
//! - `dashboard`, `terminal`: the screen that is drawn anew, with the feature `tui`; [`history`]: what
//!   it remembers;
//! - [`metrics()`]: for Prometheus.

#[cfg(feature = "tui")]
pub mod dashboard;
pub mod history;
mod metrics;
#[cfg(test)]
pub(super) mod samples;
mod section;
#[cfg(feature = "tui")]
pub mod terminal;
mod text;

pub use metrics::metrics;
pub use section::headline;
pub use text::{Look, line, text};

use crate::migration::status::Status;

/// All of it for a program, in one line.
///
/// # Errors
/// None that can be provoked: everything is text and numbers.
pub fn json(status: &Status) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(status)? + "\n")
}
