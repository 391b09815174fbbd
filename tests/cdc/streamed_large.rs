//! One transaction larger than anything may hold in memory.

use std::fs;
use std::time::Duration;

use super::Capture;
use crate::support::{
    Pair, Run, assert_equal, eventually, long_tests_wanted, source_options, target_options,
};

/// What each process may take, in kB.
const MEMORY_MAX: u64 = 200 << 10;

/// The most memory a process has had, in kB; none once it has ended.
fn memory_peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// How receive, transform and apply are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Pipes,
    Folder,
}

/// Starts the three.
fn start(capture: &Capture, way: Way) -> [Run; 3] {
    match way {
        Way::Pipes => {
            let (receive, json) = capture.receive().arg("--to-stdout").start_pipe();
            let transform = capture.transform().args(["-", "-"]).stdin(json);
            let (transform, sql) = transform.start_pipe();
            let apply = capture.apply().arg("-").stdin(sql).start();
            [receive, transform, apply]
        }
        Way::Folder => [
            capture.receive().start(),
            capture.transform().start(),
            capture.apply().start(),
        ],
    }
}

/// Moves one transaction of `megabytes` with a plugin, from a source with little patience.
fn moves(plugin: &str, way: Way, megabytes: u32, limit: Duration) {
    let source = source_options()
        .setting("wal_sender_timeout", "5s")
        .setting("logical_decoding_work_mem", "4MB");
    let tables = "CREATE TABLE fruit (id int PRIMARY KEY, body text)";
    let pair = Pair::with(source, target_options());
    let Some(capture) = Capture::of_pair_with(pair, plugin, tables) else {
        return;
    };
    let (source, target) = (&capture.pair.source, &capture.pair.target);
    let mut workers = start(&capture, way);
    source.sql(&format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 32) FROM generate_series(1, {megabytes} * 1000) n"
    ));
    capture.end_now();
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
    println!("{plugin}, {way:?}: receive, transform and apply took {peaks:?} kB");
    assert!(
        peaks.iter().all(|peak| (1..MEMORY_MAX).contains(peak)),
        "receive, transform and apply took {peaks:?} kB"
    );
    assert_equal(source, target);
}

/// Each a test of 64 megabytes, and one of 2 gigabytes where such are wanted.
macro_rules! sizes {
    ($($small:ident $large:ident $plugin:literal $way:expr,)*) => {
        $(
            #[test]
            fn $small() {
                moves($plugin, $way, 64, Duration::from_secs(90));
            }

            #[test]
            fn $large() {
                if long_tests_wanted() {
                    moves($plugin, $way, 2048, Duration::from_secs(1800));
                }
            }
        )*
    };
}

sizes! {
    a_streamed_transaction_of_64_megabytes_takes_little_memory
    a_streamed_transaction_of_2_gigabytes_takes_little_memory "pgoutput" Way::Pipes,
    a_transaction_of_64_megabytes_takes_little_memory_with_wal2json
    a_transaction_of_2_gigabytes_takes_little_memory_with_wal2json "wal2json" Way::Pipes,
    a_transaction_of_64_megabytes_in_a_folder_takes_little_memory_with_test_decoding
    a_transaction_of_2_gigabytes_in_a_folder_takes_little_memory_with_test_decoding
        "test_decoding" Way::Folder,
}

#[test]
fn a_transaction_of_2_gigabytes_takes_little_memory_the_other_way_too() {
    if long_tests_wanted() {
        for (plugin, way) in [
            ("pgoutput", Way::Folder),
            ("test_decoding", Way::Pipes),
            ("wal2json", Way::Folder),
        ] {
            moves(plugin, way, 2048, Duration::from_secs(1800));
        }
    }
}
