//! The three processes: what `ps` calls them, and that none outlives its supervisor.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::Following;
use crate::support::{Pair, Pgbench, SOON, eventually};

/// How long a child may outlive its supervisor.
const GONE: Duration = Duration::from_secs(2);

#[test]
fn children_have_telling_names_and_never_outlive_the_supervisor_and_resume_goes_on() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start_at(&pair.source, 300);
    let mut following = Following::start(&pair);
    for (signal, code) in [
        (Signal::SIGINT, Some(9)),
        (Signal::SIGTERM, Some(9)),
        (Signal::SIGKILL, None),
    ] {
        following = following.until_live();
        let children = following.children();
        for role in ["receive", "transform", "apply"] {
            let line = format!("pgflit stream {role} ");
            let of_role = children
                .iter()
                .filter(|child| child.line.starts_with(&line));
            assert_eq!(of_role.count(), 1, "{children:?}");
        }
        for child in &children {
            assert!(!child.line.contains("postgresql://"), "{children:?}");
        }
        traffic.wait_for(100);
        following.run.signal(signal);
        let ended = following.run.wait_for_exit_within(SOON);
        assert_eq!(ended.code(), code, "after {signal}:\n{}", ended.stderr);
        eventually(GONE, "the children are gone", || {
            !children.iter().any(|child| child.is_there())
        });
        following = Following::resume(&pair);
    }
    let following = following.until_live();
    traffic.wait_for(100);
    traffic.stop();
    following.end_equal();
}

#[test]
fn a_second_migration_in_the_same_directory_is_told_that_it_is_busy() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE fruit (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    let second = Following::resume(&pair).run.wait_for_exit();
    second.assert_code(8);
    following.end_equal();
}
