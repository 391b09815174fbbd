//! A child that is killed while following is started again.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Following;
use super::following::LIVE;
use crate::support::{Pair, Pgbench, SOON, let_pass, long_tests_wanted};

#[test]
fn killed_children_are_started_again_and_nothing_is_lost_or_applied_twice() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start_at(&pair.source, 400);
    let following = Following::start(&pair).until_live();
    for (at, role) in ["receive", "transform", "apply"].into_iter().enumerate() {
        traffic.wait_for(100);
        following.child(role).kill();
        following.run.wait_for_stderr("starting again");
        following.run.wait_for_stderr_times(LIVE, at + 2);
    }
    traffic.wait_for(100);
    traffic.stop();
    following.end_equal();
}

#[test]
fn a_migration_killed_at_random_moments_under_traffic_ends_exact() {
    let seed = std::env::var("PGFLIT_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("PGFLIT_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let kills = if long_tests_wanted() { 60 } else { 8 };
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    // The history then has an identity, and rows that are the same.
    pair.source
        .sql("ALTER TABLE pgbench_history REPLICA IDENTITY FULL");
    let traffic = Pgbench::start_at(&pair.source, 300);
    for at in 0..kills {
        let following = match at {
            0 => Following::start(&pair),
            _ => Following::resume(&pair),
        };
        let_pass(Duration::from_millis(random.random_range(20..1500)));
        match random.random_range(0..4) {
            0 => following.run.signal(Signal::SIGTERM),
            _ => following.run.signal(Signal::SIGKILL),
        }
        let ended = following.run.wait_for_exit_within(SOON);
        assert!(
            matches!(ended.code(), None | Some(9)),
            "run {at} ended by itself: {}\n{}",
            ended.status,
            ended.stderr
        );
    }
    let following = Following::resume(&pair).until_live();
    traffic.stop();
    following.end_equal();
}
