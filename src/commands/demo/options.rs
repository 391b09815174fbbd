//! What to show, and how it ended.

use std::path::PathBuf;

/// What the demo is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoOptions {
    /// Size of the database: 100,000 rows, about 15 MB, a unit.
    pub scale: u32,
    /// Seconds of traffic under live replay, after the base copy and before traffic is moved.
    pub seconds: u64,
    /// The migration's work directory; a temporary one if absent.
    pub dir: Option<PathBuf>,
    /// Whether both clusters stay until Ctrl-C, to look around.
    pub keep: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            scale: 10,
            seconds: 15,
            dir: None,
            keep: false,
        }
    }
}

/// How the demo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every table holds the same rows on both sides, all that was acknowledged among them, and no
    /// client has seen an error.
    Equal,
    /// Not so.
    Different,
    /// Someone asked it to stop.
    Stopped,
}
