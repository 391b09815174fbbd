//! A migration of a busy database, while it runs and when its traffic has moved.

use super::report;
use crate::cutover::stage::Stage;
use crate::support::{SOON, eventually};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)";

#[test]
fn lag_and_cutovers_are_drawn_while_it_follows_and_after_it_has_moved() {
    let stage = Stage::with(SCHEMA);
    stage
        .database()
        .sql("INSERT INTO t SELECT generate_series(2, 5000)");
    eventually(SOON, "the lag is drawn while it follows", || {
        let page = report(&stage.pair);
        page.says("running").says("clone --follow");
        page.draws("Lag") && page.draws("Lag in time") && page.draws("Changes applied")
    });
    stage
        .command("cutover --dry-run --max-pause 30s")
        .run()
        .assert_code(0);
    stage.moves("cutover");
    stage.database().sql("INSERT INTO t VALUES (0)");
    eventually(
        SOON,
        "the first stream has ended, and the one back is drawn",
        || {
            let page = report(&stage.pair);
            page.text.contains("finished, traffic moved") && page.draws("Stream reverse: lag")
        },
    );
    let page = report(&stage.pair);
    page.says("Attempt 1 to the target: rehearsed, clients waited")
        .says("Attempt 2 to the target: done, clients waited")
        .says("with a way back")
        .says("While clients waited")
        .says("pgflit cutover --yes")
        .says("Traffic goes to");
    assert!(page.draws("While clients waited"));
}
