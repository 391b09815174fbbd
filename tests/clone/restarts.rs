//! Servers that go away and come back while following.

use pgflit::worker::cluster::StopMode;

use super::Following;
use super::following::LIVE;
use crate::support::{Pair, Pgbench};

#[test]
fn both_servers_may_restart_while_following() {
    let mut pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start_at(&pair.source, 200);
    let run = Following::start(&pair).until_live().run;
    traffic.wait_for(50);
    pair.target_cluster
        .restart(StopMode::Immediate)
        .expect("the target starts again");
    run.wait_for_stderr("starting again");
    run.wait_for_stderr_times(LIVE, 2);
    traffic.wait_for(50);
    traffic.stop();
    pair.source_cluster
        .restart(StopMode::Fast)
        .expect("the source starts again");
    run.wait_for_stderr_times("starting again", 2);
    run.wait_for_stderr_times(LIVE, 3);
    let traffic = Pgbench::start_at(&pair.source, 200);
    traffic.wait_for(50);
    traffic.stop();
    let following = Following { pair: &pair, run };
    following.end_equal();
}
