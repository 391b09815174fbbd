//! Time, processor time and memory of a contender.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::shared::Result;
use crate::shared::processes::{children_cpu, tree_memory};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// From start to end.
    pub(crate) wall: Duration,
    /// The time that rows alone took, where the contender tells.
    pub(crate) rows: Option<Duration>,
    /// Processor time of the contender and its children; not of the servers.
    pub(crate) cpu: Duration,
    /// The most memory that its processes had together.
    pub(crate) memory: u64,
}

/// Runs it to its end. What it prints is shown only if it fails.
pub(crate) fn measure(command: &mut Command) -> Result<Measured> {
    let before = children_cpu()?;
    let begun = Instant::now();
    let log = tempfile::NamedTempFile::new()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.reopen()?)
        .stderr(log.reopen()?)
        .spawn()?;
    let mut memory = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory = memory.max(tree_memory(child.id()));
        thread::sleep(LOOK);
    };
    let wall = begun.elapsed();
    if !status.success() {
        let said = fs::read_to_string(log.path())?;
        return Err(format!("{command:?} ended with {status}:\n{said}").into());
    }
    Ok(Measured {
        wall,
        rows: None,
        cpu: children_cpu()?.saturating_sub(before),
        memory,
    })
}
