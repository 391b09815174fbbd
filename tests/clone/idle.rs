//! A source on which nothing happens.

use std::time::Duration;

use super::{Following, end_now};
use crate::support::{Pair, assert_equal};

/// An idle server writes a record of its own accord every 15 s: the end must not wait for that.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn an_endpos_on_an_idle_source_ends_at_once() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE fruit (id int PRIMARY KEY); INSERT INTO fruit VALUES (1)");
    let following = Following::start(&pair).until_live();
    following.children();
    end_now(&pair);
    let finished = following.run.wait_for_exit_within(AT_ONCE);
    finished.assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn an_empty_database_moves_too() {
    let pair = Pair::new();
    Following::start(&pair).until_live().end_equal();
}

#[test]
fn each_process_leaves_its_log_in_the_work_directory() {
    let pair = Pair::new();
    Following::start(&pair).until_live().end_equal();
    for (process, line) in [
        ("clone", "live replay from"),
        ("receive", "receiving from slot"),
        ("transform", "transformed"),
        ("apply", "applying from"),
    ] {
        let path = pair.dir().join(format!("log/{process}.log"));
        let log = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(log.contains(line), "{}: {log}", path.display());
    }
}
