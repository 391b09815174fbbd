//! Tables that are partitioned on both sides, and differently.

use nix::sys::signal::Signal;

use super::{Following, end_now};
use crate::support::{Database, Pair, SOON, eventually, eventually_some, pgflit, with_each};

/// Each has a root, which the target's has the name of, and partitions.
const SOURCE: &str = "
    CREATE TABLE ranges (id int PRIMARY KEY, n int, body text) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF ranges FOR VALUES FROM (0) TO (10);
    CREATE TABLE mid PARTITION OF ranges FOR VALUES FROM (10) TO (20);
    CREATE TABLE high PARTITION OF ranges FOR VALUES FROM (20) TO (100);
    CREATE TABLE over PARTITION OF ranges DEFAULT;
    CREATE TABLE alike (place text, n int, j json) PARTITION BY LIST (place);
    CREATE TABLE alike_a PARTITION OF alike FOR VALUES IN ('a', 'it''s');
    CREATE TABLE alike_b PARTITION OF alike FOR VALUES IN ('b', NULL);
    ALTER TABLE alike_a REPLICA IDENTITY FULL; ALTER TABLE alike_b REPLICA IDENTITY FULL;
    CREATE TABLE hashes (id int PRIMARY KEY, n int) PARTITION BY HASH (id);
    CREATE TABLE hash_0 PARTITION OF hashes FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE hash_1 PARTITION OF hashes FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE nested (id int, at int, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (id);
    CREATE TABLE branch PARTITION OF nested FOR VALUES FROM (0) TO (50) PARTITION BY RANGE (at);
    CREATE TABLE leaf_1 PARTITION OF branch FOR VALUES FROM (0) TO (10);
    CREATE TABLE leaf_2 PARTITION OF branch FOR VALUES FROM (10) TO (20);
    CREATE TABLE other PARTITION OF nested FOR VALUES FROM (50) TO (100);
    CREATE TABLE keys (id int, at int, n int) PARTITION BY RANGE (at);
    CREATE TABLE key_1 PARTITION OF keys (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (10);
    CREATE TABLE key_2 PARTITION OF keys (PRIMARY KEY (id)) FOR VALUES FROM (10) TO (20);
    CREATE TABLE flat (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
    CREATE TABLE flat_1 PARTITION OF flat FOR VALUES FROM (0) TO (10);
    CREATE TABLE flat_2 PARTITION OF flat FOR VALUES FROM (10) TO (100)";

const ROWS: &str = "
    INSERT INTO ranges SELECT g, 0, 'x' FROM generate_series(0, 120, 5) g;
    INSERT INTO alike SELECT place, n / 3, '{}'
      FROM unnest(ARRAY['a', 'it''s', 'b', NULL]) place, generate_series(1, 9) n;
    INSERT INTO hashes SELECT g, 0 FROM generate_series(1, 40) g;
    INSERT INTO nested SELECT g, g % 20, 0 FROM generate_series(0, 99, 3) g;
    INSERT INTO keys SELECT g % 10, g, 0 FROM generate_series(0, 19) g;
    INSERT INTO flat SELECT g, 0 FROM generate_series(0, 40) g";

/// `low` and `branch` as on the source; `mid`, `hash_0` and `leaf_1` with other bounds; the rest not
/// there.
const TARGET: &str = "
    CREATE TABLE ranges (id int PRIMARY KEY, n int, body text) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF ranges FOR VALUES FROM (0) TO (10);
    CREATE TABLE mid PARTITION OF ranges FOR VALUES FROM (10) TO (50);
    CREATE TABLE rest PARTITION OF ranges DEFAULT;
    CREATE TABLE alike (place text, n int, j json) PARTITION BY HASH (n);
    CREATE TABLE alike_0 PARTITION OF alike FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE alike_1 PARTITION OF alike FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE hashes (id int PRIMARY KEY, n int) PARTITION BY HASH (id);
    CREATE TABLE hash_0 PARTITION OF hashes FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE hash_x PARTITION OF hashes FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE hash_y PARTITION OF hashes FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    CREATE TABLE nested (id int, at int, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (id);
    CREATE TABLE branch PARTITION OF nested FOR VALUES FROM (0) TO (50) PARTITION BY RANGE (at);
    CREATE TABLE leaf_1 PARTITION OF branch FOR VALUES FROM (0) TO (5);
    CREATE TABLE leaf_x PARTITION OF branch FOR VALUES FROM (5) TO (20);
    CREATE TABLE other_x PARTITION OF nested FOR VALUES FROM (50) TO (200);
    CREATE TABLE keys (id int, at int, n int) PARTITION BY RANGE (at);
    CREATE TABLE key_x PARTITION OF keys FOR VALUES FROM (0) TO (15);
    CREATE TABLE key_y PARTITION OF keys FOR VALUES FROM (15) TO (30);
    CREATE TABLE flat (id int PRIMARY KEY, n int)";

const ROOTS: [&str; 6] = ["ranges", "alike", "hashes", "nested", "keys", "flat"];

/// The rows of all tables by their roots.
fn rows(database: &Database) -> Vec<Vec<String>> {
    let of = |root: &&str| format!("SELECT '{root}', t::text FROM {root} t");
    let of_all: Vec<_> = ROOTS.iter().map(of).collect();
    database.rows(&format!("{} ORDER BY 1, 2", of_all.join(" UNION ALL ")))
}

#[track_caller]
fn same_rows_soon(pair: &Pair) {
    eventually(SOON, "the changes arrive", || {
        rows(&pair.source) == rows(&pair.target)
    });
}

/// What the target has, partitioned as it was made, becomes partitioned as `TARGET` says.
fn partition_otherwise(pair: &Pair) {
    let each = |sql: &str| ROOTS.map(|root| sql.replace("$root", root)).join("; ");
    let keep = each("CREATE TABLE kept_$root AS SELECT * FROM $root; DROP TABLE $root");
    let give_back = each("INSERT INTO $root SELECT * FROM kept_$root; DROP TABLE kept_$root");
    pair.target.sql(&format!("{keep}; {TARGET}; {give_back}"));
}

/// Copied as it is on the source, and partitioned otherwise on the target before it is followed on.
fn following_otherwise<'a>(pair: &'a Pair, plugin: &str) -> Following<'a> {
    pair.source.sql(SOURCE);
    pair.source.sql(ROWS);
    let following = Following::start_with(pair, plugin).until_live();
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    partition_otherwise(pair);
    Following::resume_with(pair, plugin).until_live()
}

/// Of every kind, within partitions and from one to another, a few and many at a time.
const CHANGES: [&str; 6] = [
    "INSERT INTO ranges SELECT g, 1, 'y' FROM generate_series(1, 121, 5) g;
     INSERT INTO hashes SELECT g, 1 FROM generate_series(41, 80) g;
     INSERT INTO flat SELECT g, 1 FROM generate_series(41, 80) g",
    "UPDATE ranges SET n = n + 1 WHERE id % 3 = 0; UPDATE hashes SET n = n + 1;
     UPDATE nested SET n = 7 WHERE id < 60; UPDATE flat SET n = n + 1 WHERE id < 20;
     UPDATE keys SET n = at WHERE id % 2 = 0; DELETE FROM keys WHERE at = 13",
    // Each row comes to another partition, or stays where others came.
    "UPDATE ranges SET id = id + 200 WHERE id < 30; UPDATE ranges SET id = 229 - id WHERE id > 199;
     UPDATE hashes SET id = id + 1000; UPDATE nested SET id = 99 - id, at = (at + 8) % 20 WHERE id > 48;
     UPDATE flat SET id = id + 81 WHERE id < 5;
     UPDATE flat SET id = id - 81 WHERE id > 80",
    "DELETE FROM alike WHERE ctid IN (SELECT ctid FROM alike WHERE place = 'a' LIMIT 1);
     UPDATE alike SET n = 50 WHERE tableoid = 'alike_b'::regclass
        AND ctid IN (SELECT ctid FROM ONLY alike_b WHERE place IS NULL LIMIT 1);
     UPDATE alike SET place = 'b' WHERE place = 'it''s' AND n = 1",
    "DELETE FROM ranges WHERE id % 7 = 0; DELETE FROM hashes WHERE n = 2;
     DELETE FROM nested WHERE at > 15; DELETE FROM flat WHERE id % 3 = 1",
    "BEGIN; INSERT INTO flat VALUES (300 - 298, 9) ON CONFLICT (id) DO UPDATE SET n = 9;
     UPDATE flat SET id = 99 WHERE id = 2; UPDATE flat SET id = 2, n = 10 WHERE id = 99; COMMIT",
];

/// Of single partitions and of all, of those that the target has and others.
const EMPTIED: [&str; 10] = [
    "TRUNCATE low; INSERT INTO ranges VALUES (3, 3, 'new')",
    "TRUNCATE mid",
    "TRUNCATE high; INSERT INTO ranges VALUES (77, 7, 'new'), (19, 1, 'new')",
    "BEGIN; INSERT INTO ranges VALUES (500, 1, ''); TRUNCATE over; COMMIT",
    "TRUNCATE alike_b, key_2",
    "TRUNCATE leaf_2, flat_1",
    "TRUNCATE branch",
    "TRUNCATE ranges, hashes; INSERT INTO ranges VALUES (1, 1, 'a'), (50, 1, 'b')",
    "TRUNCATE hash_1, hash_0, low; INSERT INTO hashes VALUES (1, 1), (2, 2)",
    "TRUNCATE nested, flat, alike CASCADE; INSERT INTO flat VALUES (1, 1), (20, 1)",
];

#[test]
fn changes_and_truncates_reach_the_rows_of_their_partition_and_no_others() {
    reach_the_rows_of_their_partition("pgoutput");
}

#[test]
fn changes_and_truncates_reach_the_rows_of_their_partition_with_test_decoding() {
    reach_the_rows_of_their_partition("test_decoding");
}

#[test]
fn changes_and_truncates_reach_the_rows_of_their_partition_with_wal2json() {
    reach_the_rows_of_their_partition("wal2json");
}

fn reach_the_rows_of_their_partition(plugin: &str) {
    with_each(&[plugin], |pair, plugin| {
        let following = following_otherwise(pair, plugin);
        let all_at_once = CHANGES[1..5].join("; ");
        for change in CHANGES.into_iter().chain([&*all_at_once]).chain(EMPTIED) {
            pair.source.sql(change);
            same_rows_soon(pair);
        }
        // One that is the same on both sides is written to itself.
        let low = "SELECT count(*) FROM ONLY low";
        assert_eq!(pair.target.number(low), pair.source.number(low));
        end_now(pair);
        following.run.wait_for_exit().assert_code(0);
        assert_eq!(rows(&pair.source), rows(&pair.target));
    });
}

#[test]
fn a_row_of_another_partition_that_has_the_same_key_is_not_overwritten() {
    let pair = Pair::new();
    let following = following_otherwise(&pair, "pgoutput");
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    let clone = "clone --resume --on-conflict overwrite";
    let run = pgflit(clone).follow().between(&pair).start();
    let following = Following { pair: &pair, run }.until_live();
    pair.source.sql(
        "UPDATE keys SET n = 5 WHERE at = 3; DELETE FROM keys WHERE at = 14;
         INSERT INTO keys VALUES (4, 11, 5), (20, 2, 5);
         UPDATE keys SET id = 30 WHERE at = 15; UPDATE keys SET id = 5 WHERE at = 16",
    );
    same_rows_soon(&pair);
    end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
}

#[test]
fn a_table_that_has_become_a_partition_meanwhile_is_not_emptied_with_the_others() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE later (id int PRIMARY KEY, n int, body text);
         INSERT INTO later SELECT g, 1, 'kept' FROM generate_series(1000, 1050) g",
    );
    let following = following_otherwise(&pair, "pgoutput");
    let attach = "ALTER TABLE ranges ATTACH PARTITION later FOR VALUES FROM (1000) TO (1100)";
    pair.source.sql(attach);
    pair.target.sql(attach);
    pair.source
        .sql("TRUNCATE low, mid, high, over; INSERT INTO ranges VALUES (1, 1, 'new')");
    following
        .run
        .wait_for_exit()
        .assert_code(7)
        .assert_stderr("TRUNCATE of partition public.over")
        .assert_stderr("its place on the source were altered")
        .assert_stderr("detach what was attached since");
    let later = "SELECT count(*) FROM later";
    assert_eq!(pair.target.number(later), 51);
    let detach = "ALTER TABLE ranges DETACH PARTITION later";
    pair.target.sql(detach);
    pair.source.sql(detach);
    let _following = Following::resume_with(&pair, "pgoutput").until_live();
    same_rows_soon(&pair);
    assert_eq!(pair.target.number(later), 51);
}

#[test]
fn a_root_that_has_another_name_by_now_is_not_emptied_for_one_of_its_partitions() {
    let pair = Pair::new();
    let following = following_otherwise(&pair, "pgoutput");
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    pair.source
        .sql("TRUNCATE flat_1; ALTER TABLE flat RENAME TO renamed");
    let before = pair.target.number("SELECT count(*) FROM flat");
    let following = Following::resume(&pair);
    following
        .run
        .wait_for_exit()
        .assert_code(7)
        .assert_stderr("TRUNCATE of partition public.flat_1");
    let after = pair.target.number("SELECT count(*) FROM flat");
    assert_eq!(after, before);
}

#[test]
fn a_partition_among_others_is_not_emptied_before_the_source_was_asked() {
    let pair = Pair::new();
    let following = following_otherwise(&pair, "pgoutput");
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    pair.source.sql("TRUNCATE mid");
    end_now(&pair);
    let prefetch = pgflit("stream prefetch").source(&pair.source);
    prefetch.dir(pair.dir()).run().assert_code(0);
    let catchup = pgflit("stream catchup").target(&pair.target);
    catchup
        .dir(pair.dir())
        .run()
        .assert_code(7)
        .assert_stderr("which they are only the source can say")
        .assert_stderr("hint: name it with --source");
    pgflit("stream catchup").between(&pair).run().assert_code(0);
    assert_eq!(rows(&pair.source), rows(&pair.target));
}

#[test]
fn a_partition_whose_bounds_do_not_tell_its_rows_is_not_emptied() {
    with_each(&["pgoutput"], |pair, plugin| {
        let following = following_otherwise(pair, plugin);
        pair.source.sql("INSERT INTO flat VALUES (99, 99)");
        pair.source.sql("TRUNCATE hash_0");
        let ended = following.run.wait_for_exit().assert_code(7);
        ended
            .assert_stderr("TRUNCATE of partition public.hash_0 of transaction")
            .assert_stderr(" at 0/")
            .assert_stderr("its rows are in public.hashes")
            .assert_stderr("hint: make public.hash_0 a partition of public.hashes on the target");
        let there = "SELECT (SELECT count(*) FROM flat WHERE id = 99) * 100 + count(*) FROM hashes";
        assert_eq!(pair.target.number(there), 140);
        pair.target.sql(
            "CREATE TABLE kept AS SELECT * FROM hashes; DROP TABLE hashes;
             CREATE TABLE hashes (id int PRIMARY KEY, n int) PARTITION BY HASH (id);
             CREATE TABLE hash_0 PARTITION OF hashes FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE hash_1 PARTITION OF hashes FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             INSERT INTO hashes SELECT * FROM kept; DROP TABLE kept",
        );
        let following = Following::resume_with(pair, plugin).until_live();
        same_rows_soon(pair);
        end_now(pair);
        following.run.wait_for_exit().assert_code(0);
    });
}

#[test]
fn a_target_that_is_partitioned_otherwise_is_exact_after_kills() {
    let pair = Pair::new();
    let mut following = following_otherwise(&pair, "pgoutput");
    for change in CHANGES
        .iter()
        .chain(["TRUNCATE high, mid", "TRUNCATE alike"].iter())
    {
        pair.source.sql(change);
        following.run.signal(Signal::SIGKILL);
        following.run.wait_for_exit();
        following = Following::resume(&pair);
    }
    end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
    assert_eq!(rows(&pair.source), rows(&pair.target));
}

#[test]
fn a_partition_that_is_detached_on_the_source_alone_does_not_end_in_silence() {
    let pair = Pair::new();
    let following = following_otherwise(&pair, "pgoutput");
    pair.source
        .sql("ALTER TABLE ranges DETACH PARTITION high; INSERT INTO high VALUES (31, 3, 'x')");
    end_now(&pair);
    let ended = following.run.wait_for_exit().assert_code(7);
    ended
        .assert_stderr("public.high was one of public.ranges FOR VALUES FROM (20) TO (100)")
        .assert_stderr("is no partition on the source by now, and not there on the target");
    pair.target.sql(
        "DELETE FROM ranges WHERE id >= 20 AND id < 100;
         INSERT INTO pgflit.step (name) VALUES ('partitions are others')",
    );
    Following::resume(&pair).run.wait_for_exit().assert_code(0);
    assert_eq!(rows(&pair.source), rows(&pair.target));
}

#[test]
fn rows_are_not_copied_among_others_and_followed_where_pg_dump_has_put_them() {
    let pair = Pair::new();
    pair.source.sql(SOURCE);
    pair.source.sql(ROWS);
    pair.target.sql(TARGET);
    let copy = pgflit("copy table-data").between(&pair).run();
    copy.assert_code(7)
        .assert_stderr("14 of 15 tables are not on the target with the bounds that they have")
        .assert_stderr("its rows would be in public.ranges")
        .assert_stderr("hint: copy the rows with pg_dump --load-via-partition-root");
    let there = ROOTS.map(|root| format!("SELECT 1 FROM {root}"));
    assert!(pair.target.rows(&there.join(" UNION ALL ")).is_empty());
    pgflit("stream cleanup").between(&pair).run().assert_code(0);

    let holder = pgflit("snapshot --follow").source(&pair.source);
    let holder = holder.dir(pair.dir()).start();
    let id = eventually_some(SOON, "the id is printed", || {
        let printed = holder.stdout();
        printed.ends_with('\n').then(|| printed.trim().to_owned())
    });
    let follow = pgflit("follow").between(&pair).args(["--snapshot", &id]);
    let follow = follow.start();
    follow.wait_for_stderr("captured and not applied");
    pair.source.sql(CHANGES[0]);
    let mut dump = pair.source.program("pg_dump");
    dump.args(["--snapshot", &id, "-d", pair.source.uri()]);
    dump.args(["--data-only", "--load-via-partition-root"]);
    let dump = dump.output().expect("pg_dump");
    assert!(dump.status.success(), "{dump:?}");
    pair.target
        .sql(&String::from_utf8(dump.stdout).expect("UTF-8"));
    drop(holder);
    pgflit("sentinel set apply")
        .dir(pair.dir())
        .run()
        .assert_code(0);
    follow.wait_for_stderr(super::following::LIVE);
    pair.source
        .sql(&[&CHANGES[1..], &["TRUNCATE mid"]].concat().join("; "));
    same_rows_soon(&pair);
    end_now(&pair);
    follow.wait_for_exit().assert_code(0);
    assert_eq!(rows(&pair.source), rows(&pair.target));
}
