//! WAL that the slot keeps on the source, told before it is too much.

use super::Following;
use crate::support::{Held, Pair, source_options, target_options};

#[test]
fn a_slot_that_nears_what_the_source_keeps_for_it_is_told() {
    let source = source_options().setting("max_slot_wal_keep_size", "96MB");
    let pair = Pair::with(source, target_options());
    if pair.source.number("SHOW server_version_num") < 130_000 {
        return;
    }
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    // From where a transaction begins that is still open, the slot needs everything.
    let open = Held::open(&pair.source, "INSERT INTO t VALUES (1)");
    for id in 2..6 {
        let insert = format!("INSERT INTO t VALUES ({id}); SELECT pg_switch_wal()");
        pair.source.sql(&insert);
    }
    let run = &following.run;
    run.wait_for_stderr("slot pgflit keeps ");
    run.wait_for_stderr("more on (max_slot_wal_keep_size) the source removes it");
    open.commit();
    following.end_equal();
}
