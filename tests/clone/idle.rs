//! A source on which nothing happens.

use std::time::{Duration, Instant};

use super::{Following, end_now};
use crate::support::{PLUGINS, Pair, allow_plugin, assert_equal, eventually, with_each};

/// An idle server writes a record of its own accord every 15 s: nothing may wait for that. It takes
/// a fraction of a second where the machine has nothing else to do.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn small_transactions_arrive_and_the_end_is_noticed_at_once_without_more_traffic() {
    for plugin in PLUGINS {
        let pair = Pair::new();
        if !allow_plugin(&pair.source, plugin) {
            continue;
        }
        pair.source
            .sql("CREATE TABLE fruit (id int PRIMARY KEY); INSERT INTO fruit VALUES (0)");
        let following = Following::start_with(&pair, plugin).until_live();
        following.children();
        let hundred = (1..=100).map(|id| format!("INSERT INTO fruit VALUES ({id});"));
        pair.source.sql(&hundred.collect::<String>());
        let begun = Instant::now();
        eventually(AT_ONCE, "all are on the target", || {
            pair.target.number("SELECT count(*) FROM fruit") == 101
        });
        println!("{plugin}: arrived after {:?}", begun.elapsed());
        let begun = Instant::now();
        end_now(&pair);
        let finished = following.run.wait_for_exit_within(AT_ONCE);
        finished.assert_code(0);
        println!("{plugin}: ended after {:?}", begun.elapsed());
        assert_equal(&pair.source, &pair.target);
    }
}

#[test]
fn an_endpos_on_a_source_where_nothing_ever_happened_ends_at_once() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source
            .sql("CREATE TABLE fruit (id int PRIMARY KEY); INSERT INTO fruit VALUES (1)");
        let following = Following::start_with(pair, plugin).until_live();
        following.children();
        end_now(pair);
        let finished = following.run.wait_for_exit_within(AT_ONCE);
        finished.assert_code(0);
        assert_equal(&pair.source, &pair.target);
    });
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
