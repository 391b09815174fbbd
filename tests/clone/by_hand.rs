//! The same way, each step as a command of its own.

use super::{Following, end_now};
use crate::support::{Pair, Pgbench, assert_equal, pgflit};

#[test]
fn setup_then_clone_then_a_pipe_of_three_ends_equal() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start(&pair.source);
    let setup = pgflit("stream setup").between(&pair).run().assert_code(0);
    traffic.wait_for(100);
    pgflit("clone").between(&pair).run().assert_code(0);
    drop(setup);

    let receive = pgflit("stream receive --to-stdout").source(&pair.source);
    let (receive, json) = receive.dir(pair.dir()).start_pipe();
    let transform = pgflit("stream transform - -").stdin(json);
    let (transform, sql) = transform.start_pipe();
    let apply = pgflit("stream apply -").target(&pair.target).stdin(sql);
    let apply = apply.dir(pair.dir()).start();
    apply.wait_for_stderr("applying from");
    traffic.wait_for(300);
    traffic.stop();
    end_now(&pair);
    receive.wait_for_exit().assert_code(0);
    transform.wait_for_exit().assert_code(0);
    apply.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);

    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    for (side, what) in [
        (&pair.source, "SELECT count(*) FROM pg_replication_slots"),
        (&pair.source, "SELECT count(*) FROM pg_publication"),
        (&pair.target, "SELECT count(*) FROM pg_replication_origin"),
        (
            &pair.target,
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit'",
        ),
    ] {
        assert_eq!(side.number(what), 0, "{what}");
    }
}

#[test]
fn a_sentinel_knows_the_source_that_the_migration_was_begun_with() {
    let pair = Pair::new();
    let following = Following::start(&pair).until_live();
    let set = pgflit("sentinel set endpos --current").dir(pair.dir());
    set.run().assert_code(0);
    following.run.wait_for_exit().assert_code(0);
}
