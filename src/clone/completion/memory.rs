//! How much memory an index build may use.

use std::fs;

use crate::pg::Address;
use crate::pg::address::{Endpoint, Host};

/// More than this does not make a build faster by much, and PostgreSQL before 17 uses no more than
/// this for some of its arrays.
const BUILD_MAX: u64 = 1 << 30;

/// `maintenance_work_mem` for each of `jobs` builds at a time, in bytes; none to leave the
/// server's own setting, which is then at least as much.
///
/// The server's memory cannot be asked for. Where it runs beside us, a quarter of what is free is
/// taken; else as much as its shared buffers, which are usually a quarter of the machine.
pub(super) fn for_each_build(
    setting: u64,
    shared_buffers: u64,
    free_beside_us: Option<u64>,
    jobs: usize,
) -> Option<u64> {
    let all = shared_buffers.max(free_beside_us.unwrap_or(0) / 4);
    let each = (all / jobs.max(1) as u64).min(BUILD_MAX);
    (each > setting).then_some(each)
}

/// How much memory this machine has free, if the target runs on it.
pub(super) fn free_beside(target: &Address) -> Option<u64> {
    let is_here = |host: &Host| match &host.endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp { .. } => is_loopback(&host.to_string()),
    };
    if !target.hosts().iter().all(is_here) {
        return None;
    }
    available(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// Whether a host, as `name:port`, is this machine.
fn is_loopback(host: &str) -> bool {
    ["localhost:", "127.0.0.1:", "[::1]:", "::1:"]
        .iter()
        .any(|name| host.starts_with(name))
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn builds_share_what_the_server_has_and_never_get_less_than_its_setting() {
        // 8 GB of shared buffers, four builds: each the most that helps.
        assert_eq!(for_each_build(64 * MB, 8192 * MB, None, 4), Some(1024 * MB));
        assert_eq!(for_each_build(64 * MB, 2048 * MB, None, 4), Some(512 * MB));
        assert_eq!(for_each_build(64 * MB, 128 * MB, None, 4), None);
        assert_eq!(
            for_each_build(64 * MB, 128 * MB, Some(4096 * MB), 4),
            Some(256 * MB)
        );
        assert_eq!(for_each_build(2048 * MB, 8192 * MB, None, 1), None);
    }

    #[test]
    fn what_is_free_is_read_as_linux_writes_it() {
        let text = "MemTotal:       24105 kB\nMemAvailable:   23298 kB\n";
        assert_eq!(available(text), Some(23298 * 1024));
        assert_eq!(available("MemTotal: 5 kB\n"), None);
    }
}
