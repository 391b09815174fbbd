//! Processor time of processes that still run.

use std::fs;
use std::thread;
use std::time::Duration;

use super::processes::tree;

/// How often a server is looked at, and how long after each other.
const LOOKS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(20);

/// Processor time of a server so far: its own, that of its children, and that of those which have
/// ended. A process that ends while it is looked at is in neither sum, and the next look has it.
pub(crate) fn cpu_of_server(postmaster: u32) -> Duration {
    let looks = (0..LOOKS).map(|look| {
        if look > 0 {
            thread::sleep(BETWEEN);
        }
        let below = tree(postmaster).into_iter().skip(1).map(cpu);
        let below: Duration = below.sum();
        below + cpu(postmaster) + fields(postmaster, [15, 16])
    });
    looks.max().unwrap_or_default()
}

/// Processor time of a process so far, without its children.
pub(crate) fn cpu(pid: u32) -> Duration {
    fields(pid, [13, 14])
}

/// The sum of two times of `/proc/PID/stat`, counted from 0, see proc(5). They are in hundredths of
/// a second on every Linux.
fn fields(pid: u32, positions: [usize; 2]) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses is the second field, and may hold anything.
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return Duration::ZERO;
    };
    let fields: Vec<_> = rest.split(' ').collect();
    let value = |position: usize| -> u64 {
        let field = position.checked_sub(2).and_then(|at| fields.get(at));
        field.and_then(|field| field.parse().ok()).unwrap_or(0)
    };
    Duration::from_millis(10 * positions.into_iter().map(value).sum::<u64>())
}
