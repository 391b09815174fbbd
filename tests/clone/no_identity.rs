//! Tables of which only inserts can be captured.

use nix::sys::signal::Signal;

use super::{Following, end_now};
use crate::support::{Pair, SOON, assert_equal, eventually, pgflit};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY);
    CREATE TABLE notes (line text);
    INSERT INTO notes VALUES ('a'), ('b')";

#[test]
fn inserts_and_truncates_without_an_identity_arrive() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    pair.source.sql("INSERT INTO notes VALUES ('c')");
    pair.source.sql("TRUNCATE notes");
    pair.source.sql("INSERT INTO notes VALUES ('d'), ('d')");
    following.end_equal();
}

#[test]
fn inserts_without_an_identity_arrive_through_publications_of_any_name_and_never_go_missing() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let name = format!("it's \\ \"{}", "p".repeat(47));
    let clone = pgflit("clone").follow().between(&pair);
    let run = clone.args(["--publication", &name]).start();
    run.wait_for_stderr("live replay from");
    pair.source.sql("INSERT INTO notes VALUES ('c')");
    eventually(SOON, "the row arrives", || {
        pair.target.number("SELECT count(*) FROM notes") == 3
    });
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    let inserts = format!("{}_inserts", name.replace('"', "\"\""));
    pair.source.sql(&format!("DROP PUBLICATION \"{inserts}\""));
    let resumed = pgflit("clone").follow().resume().between(&pair);
    let resumed = resumed.args(["--publication", &name]).run();
    resumed
        .assert_code(6)
        .assert_stderr("_inserts\" does not exist on the source");
}

#[test]
fn an_update_without_an_identity_works_on_the_source_and_ends_the_migration_naming_the_table() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    pair.source
        .sql("UPDATE notes SET line = 'z' WHERE line = 'a'");
    // What a session has counted is there for others once it has ended, or a moment later.
    eventually(SOON, "the update is counted", || {
        let counted = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'notes'";
        pair.source.number(counted) == 1
    });
    end_now(&pair);
    let ended = following.run.wait_for_exit().assert_code(6);
    ended.assert_stderr("public.notes").assert_stderr("hint: ");
    assert_equal_but_for_notes(&pair);
}

#[test]
fn a_deferrable_primary_key_is_no_identity_and_updates_by_it_work_on_the_source() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE); INSERT INTO t VALUES (1)");
    let following = Following::start(&pair).until_live();
    assert!(following.run.stderr_contains("no replica identity"));
    pair.source.sql("UPDATE t SET id = 2");
    drop(following);
}

fn assert_equal_but_for_notes(pair: &Pair) {
    for side in [&pair.source, &pair.target] {
        side.sql("TRUNCATE notes");
    }
    assert_equal(&pair.source, &pair.target);
}
