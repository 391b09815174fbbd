//! One transaction larger than anything may hold in memory.

use std::fs;
use std::time::Duration;

use super::Capture;
use crate::support::{
    Pair, assert_equal, eventually, long_tests_wanted, source_options, target_options,
};

/// What each process may take, in kB.
const MEMORY_MAX: u64 = 200 << 10;

/// The most memory a process has had, in kB; none once it has ended.
fn memory_peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Moves one transaction of `megabytes` through pipes, from a source with little patience.
fn moves(megabytes: u32, limit: Duration) {
    let source = source_options()
        .setting("wal_sender_timeout", "5s")
        .setting("logical_decoding_work_mem", "4MB");
    let tables = "CREATE TABLE fruit (id int PRIMARY KEY, body text)";
    let capture = Capture::of_pair(Pair::with(source, target_options()), tables);
    let (source, target) = (&capture.pair.source, &capture.pair.target);
    let (receive, json) = capture.receive().arg("--to-stdout").start_pipe();
    let transform = capture.transform().args(["-", "-"]).stdin(json);
    let (transform, sql) = transform.start_pipe();
    let apply = capture.apply().arg("-").stdin(sql).start();
    source.sql(&format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 32) FROM generate_series(1, {megabytes} * 1000) n"
    ));
    capture.end_now();
    let mut workers = [receive, transform, apply];
    let mut peaks = [0; 3];
    eventually(limit, "it is on the target", || {
        for (peak, worker) in peaks.iter_mut().zip(&workers) {
            *peak = memory_peak(worker.pid()).unwrap_or(0).max(*peak);
        }
        workers.iter_mut().all(|worker| !worker.is_running())
    });
    for worker in workers {
        worker.wait_for_exit().assert_code(0);
    }
    assert!(
        peaks.iter().all(|peak| (1..MEMORY_MAX).contains(peak)),
        "receive, transform and apply took {peaks:?} kB"
    );
    assert_equal(source, target);
}

#[test]
fn a_streamed_transaction_of_64_megabytes_takes_little_memory() {
    moves(64, Duration::from_secs(90));
}

#[test]
fn a_streamed_transaction_of_2_gigabytes_takes_little_memory() {
    if long_tests_wanted() {
        moves(2048, Duration::from_secs(1800));
    }
}
