//! Tables that become others while the copy runs, under the same name or under none.

use super::Following;
use crate::support::{Held, Pair, SOON, eventually, pgflit};

/// Copying `slow`, the biggest, waits while someone holds the advisory lock 7 on the target.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id int PRIMARY KEY, body text, CHECK (gate()));
    CREATE TABLE one (id int PRIMARY KEY, n real);
    CREATE TABLE two (id int PRIMARY KEY, n real);
    INSERT INTO slow SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n;
    INSERT INTO one SELECT n, n FROM generate_series(1, 1000) n;
    INSERT INTO two SELECT -n, -n FROM generate_series(1, 1000) n;";

fn wait_for_slow(pair: &Pair) {
    eventually(SOON, "the slow table is being copied", || {
        pair.target
            .number("SELECT count(*) FROM pg_stat_progress_copy")
            == 1
    });
}

const EXCHANGED: &str = "ALTER TABLE one RENAME TO three; ALTER TABLE two RENAME TO one;
    ALTER TABLE three RENAME TO two";

#[test]
fn tables_that_exchange_their_names_are_not_taken_for_each_other() {
    let anew = "DROP TABLE one; CREATE TABLE one AS TABLE two";
    for (change, options) in [
        (EXCHANGED, "clone --table-jobs 1"),
        (anew, "clone --follow --table-jobs 1"),
    ] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let run = pgflit(options).between(&pair).start();
        wait_for_slow(&pair);
        pair.source.sql(change);
        gate.commit();
        let ended = run.wait_for_exit().assert_code(6);
        let said = "copying public.one: on the source the name does not mean the same table";
        ended.assert_stderr(said).assert_stderr("--restart");
        let copied = pair.target.number("SELECT count(*) FROM one");
        assert_eq!(copied, 0, "{options}: {change}");
    }
}

#[test]
fn a_table_dropped_or_renamed_before_its_copy_is_named_and_the_others_go_on() {
    for change in [
        "DROP TABLE one",
        "ALTER TABLE one RENAME TO three",
        "ALTER TABLE one DROP n",
    ] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let run = pgflit("clone --table-jobs 1").between(&pair).start();
        wait_for_slow(&pair);
        pair.source.sql(change);
        gate.commit();
        run.wait_for_exit()
            .assert_code(6)
            .assert_stderr("copying public.one");
        let others = pair.target.number("SELECT count(*) FROM two");
        assert_eq!(others, 1000, "{change}");
    }
}

#[test]
fn a_column_retyped_before_its_copy_is_not_taken_for_bytes_of_the_type_it_had() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone --follow --table-jobs 1").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    wait_for_slow(&pair);
    // As many bytes as before, which mean something else.
    pair.source.sql("ALTER TABLE one ALTER n TYPE int");
    gate.commit();
    following.run.wait_for_stderr("copied public.one:");
    assert_eq!(pair.target.number("SELECT sum(n) FROM one"), 500_500);
}
