//! Time, processor time and memory of a contender.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::Result;

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
        memory = memory.max(tree_memory(&child));
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

/// Runs it, not measured.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{command:?} ended with {}:\n{said}", output.status).into())
        }
    }
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |value: TimeVal| {
        Duration::new(
            value.tv_sec().unsigned_abs(),
            u32::try_from(value.tv_usec()).unwrap_or(0) * 1000,
        )
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// Resident memory, in bytes, of a process and all that came from it.
fn tree_memory(child: &Child) -> u64 {
    let mut all = 0;
    let mut tree = vec![child.id()];
    while let Some(pid) = tree.pop() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        all += kilobytes.unwrap_or(0_u64) * 1024;
        let path = format!("/proc/{pid}/task/{pid}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        tree.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    all
}

/// The middle of them; of an even number, the lower one of the two.
pub(crate) fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    let middle = values.len().checked_sub(1)? / 2;
    values.get(middle).copied()
}
