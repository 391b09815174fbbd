//! A child that is killed while following is started again.

use super::Following;
use super::following::LIVE;
use crate::support::{Pair, Pgbench};

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
