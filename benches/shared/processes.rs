//! What processes took, as the kernel counts it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::Result;

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

/// Processor time of all children of this process that have ended, and of theirs.
pub(crate) fn children_cpu() -> Result<Duration> {
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
pub(crate) fn tree_memory(pid: u32) -> u64 {
    let kilobytes = tree(pid).into_iter().filter_map(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    kilobytes.sum::<u64>() * 1024
}

/// A process and all that came from it and still runs.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut tree = vec![pid];
    let mut next = 0;
    while let Some(pid) = tree.get(next) {
        let path = format!("/proc/{pid}/task/{pid}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        tree.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
        next += 1;
    }
    tree
}
