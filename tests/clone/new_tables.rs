//! Tables that come, go or change their names while the source is followed are told at once.

use super::{Following, end_now};
use crate::support::{Pair, pgflit};

#[test]
fn tables_that_come_and_go_are_told_while_following() {
    let pair = Pair::new();
    let filters = pair.path("filters");
    std::fs::write(&filters, "[exclude-schema]\nscratch\n").expect("filters");
    pair.source.sql(
        "CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE going (id int PRIMARY KEY);
         CREATE TABLE old_name (id int PRIMARY KEY); CREATE SCHEMA scratch",
    );
    let clone = pgflit("clone --follow --new-tables warn").between(&pair);
    let run = clone.arg("--filters").arg(&filters).start();
    let following = Following { pair: &pair, run }.until_live();
    pair.source.sql(
        "DROP TABLE going; ALTER TABLE old_name RENAME TO new_name;
         CREATE TABLE \"Late one\" (id int PRIMARY KEY); CREATE TABLE scratch.any (id int)",
    );
    let run = &following.run;
    run.wait_for_stderr("public.going was dropped on the source: it stays on the target");
    run.wait_for_stderr("public.old_name was renamed to public.new_name on the source");
    run.wait_for_stderr("public.\"Late one\" was created on the source: it is left out");
    let ended = following.end();
    assert!(!ended.stderr.contains("scratch"), "{}", ended.stderr);
}

#[test]
fn a_new_table_is_told_at_once_and_the_end_is_refused_unless_it_is_gone() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE kept (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    pair.source.sql("CREATE TABLE late (id int PRIMARY KEY)");
    following
        .run
        .wait_for_stderr("public.late was created on the source: it is not on the target, and");
    end_now(&pair);
    following.run.wait_for_exit().assert_code(6);
    pair.source.sql("DROP TABLE late");
    Following::resume(&pair).run.wait_for_exit().assert_code(0);
}
