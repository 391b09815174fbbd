//! Random changes while the database is copied and followed: equal at the end, whatever happens.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Following;
use super::following::LIVE;
use crate::support::{
    NOT_DECODED, PLUGINS, Pair, SOON, Workload, allow_plugin, eventually, let_pass,
    long_tests_wanted, pgflit,
};

/// Batches of transactions of which some are copied, some prefetched and some replayed live.
const BATCHES: u32 = 40;

fn moves(seed: u64, plugin: &str) {
    moves_over(1, seed, plugin);
}

/// The same with changes applied over as many connections as `jobs`.
fn moves_over(jobs: usize, seed: u64, plugin: &str) {
    println!("seed {seed}, {plugin}");
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return;
    }
    // Older versions of wal2json do not say enough of such values.
    let workload = Workload::start_truncating(&pair.source, seed, plugin != "wal2json");
    let clone = format!("clone --follow --apply-jobs {jobs} --plugin {plugin}");
    let mut following = start(&pair, &clone);
    while !gets_live(&following) {
        // PostgreSQL's fault, with a TRUNCATE while it makes the slot: rare, and told.
        let ended = following.run.wait_for_exit().assert_code(6);
        ended.assert_stderr("begin anew with --restart");
        following = start(&pair, &format!("{clone} --restart --drop-if-exists"));
    }
    workload.wait_for(BATCHES);
    workload.stop();
    following.end_equal();
}

fn start<'a>(pair: &'a Pair, clone: &str) -> Following<'a> {
    // Of the transactions of a batch one lane is enough, unless batches are small.
    let clone = pgflit(clone).between(pair).env("PGFLIT_LANE_CHANGES", "3");
    let run = clone.start();
    Following { pair, run }
}

/// Whether live replay is reached; else the source cannot decode what the slot holds.
fn gets_live(following: &Following<'_>) -> bool {
    eventually(
        4 * SOON,
        "live replay begins, or the slot is of no use",
        || following.run.stderr_contains(LIVE) || following.run.stderr_contains(NOT_DECODED),
    );
    following.run.stderr_contains(LIVE)
}

/// Returns once it is in live replay, which it has to reach while others write as fast as they can
/// and use the same processors.
fn until_live(following: Following<'_>) -> Following<'_> {
    eventually(4 * SOON, "live replay begins", || {
        following.run.stderr_contains(LIVE)
    });
    following
}

/// Each seed a test, so that they run side by side.
macro_rules! seeds {
    ($($name:ident $seed:literal $plugin:literal,)*) => {
        $(#[test] fn $name() { moves($seed, $plugin); })*
    };
}

seeds! {
    seed_1 1 "pgoutput", seed_2 2 "pgoutput", seed_3 3 "pgoutput", seed_4 4 "pgoutput",
    seed_5 5 "test_decoding", seed_6 6 "test_decoding", seed_7 7 "test_decoding",
    seed_8 8 "wal2json", seed_9 9 "wal2json", seed_10 10 "wal2json",
}

#[test]
fn a_hundred_more_seeds() {
    if !long_tests_wanted() {
        return;
    }
    // A new hundred each time; the one that fails is printed.
    let first: u64 = rand::random_range(11..1_000_000);
    for seed in first..first + 100 {
        moves(seed, PLUGINS[seed as usize % PLUGINS.len()]);
    }
}

#[test]
fn over_lanes_seed_1() {
    moves_over(4, 1, "pgoutput");
}

#[test]
fn over_lanes_seed_5() {
    moves_over(3, 5, "test_decoding");
}

#[test]
fn over_lanes_killed_seed_1() {
    moves_while_processes_are_killed(1, 4);
}

/// Kills one of the processes at random, every now and then.
fn moves_while_processes_are_killed(seed: u64, jobs: usize) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let pair = Pair::new();
    let workload = Workload::start(&pair.source, seed, true);
    let mut following = start(&pair, &format!("clone --follow --apply-jobs {jobs}"));
    for _ in 0..if long_tests_wanted() { 30 } else { 6 } {
        let_pass(Duration::from_millis(random.random_range(300..2500)));
        let children = following.children_now();
        match random.random_range(0..4) {
            at if at < children.len() => children[at].kill(),
            _ => {
                following.run.signal(nix::sys::signal::Signal::SIGKILL);
                following.run.wait_for_exit_within(SOON);
                following = start(
                    &pair,
                    &format!("clone --follow --resume --apply-jobs {jobs}"),
                );
            }
        }
    }
    let following = until_live(following);
    workload.stop();
    following.end_equal();
}

#[test]
fn killed_seed_1() {
    moves_while_processes_are_killed(1, 1);
}

#[test]
fn killed_seed_2() {
    moves_while_processes_are_killed(2, 1);
}

#[test]
fn killed_with_a_seed_of_its_own() {
    let seed = std::env::var("PGFLIT_SEED").ok();
    let seed = seed.map(|seed| seed.parse().expect("a number"));
    moves_while_processes_are_killed(seed.unwrap_or_else(|| rand::random_range(3..1_000_000)), 1);
}
