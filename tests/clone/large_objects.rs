//! Large objects: with everything that belongs to them, whatever their size, exactly once.

use super::Following;
use super::following::{LIVE, end_now};
use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

use nix::sys::signal::Signal;

/// Empty, small, exactly as long as is read at a time, with holes, ending in a hole, 64 MB.
const OBJECTS: &str = r#"
    SELECT lo_from_bytea(1001, ''), lo_from_bytea(1002, '\x00ff27'),
           lo_from_bytea(1003, convert_to(repeat('ab', 32768), 'UTF8')),
           lo_from_bytea(1004, convert_to(repeat('abcd', 278528), 'UTF8')),
           lo_from_bytea(1005, 'begin'), lo_from_bytea(1006, 'begin'), lo_from_bytea(1007, '');
    SELECT lo_put(1005, 10000000, 'middle'), lo_put(1005, 30000001, 'end');
    SELECT lo_from_bytea(1008, 'sparse'), lo_put(1008, 900000000, 'end');
    SELECT lo_put(1006, 7654320, '\x00');
    SELECT lo_put(1007, n * 1048576, convert_to(repeat(md5(n::text), 32768), 'UTF8'))
      FROM generate_series(0, 63) n;
    COMMENT ON LARGE OBJECT 1002 IS E'it''s \\ "here"\nü';
    ALTER LARGE OBJECT 1003 OWNER TO "Ann's ""role""";
    GRANT SELECT ON LARGE OBJECT 1003 TO bob WITH GRANT OPTION;
    SET ROLE bob; GRANT SELECT ON LARGE OBJECT 1003 TO PUBLIC; RESET ROLE;
    REVOKE ALL ON LARGE OBJECT 1004 FROM current_user;
    GRANT ALL ON LARGE OBJECT 1005 TO bob"#;

const ROLES: &str = r#"CREATE ROLE "Ann's ""role"""; CREATE ROLE bob"#;

/// 3000 of them.
const MANY: &str = "SELECT count(lo_from_bytea(n, convert_to('no ' || n, 'UTF8')))
                      FROM generate_series(20001, 23000) n";

fn pair_with(objects: &str) -> Pair {
    let pair = Pair::new();
    pair.source.sql(ROLES);
    pair.target.sql(ROLES);
    pair.source.sql(objects);
    pair
}

#[test]
fn large_objects_arrive_with_owners_privileges_and_comments_and_holes_stay_holes() {
    let pair = pair_with(OBJECTS);
    pair.source.sql(MANY);
    // As a label provider would have it.
    pair.source.sql(
        "INSERT INTO pg_seclabel VALUES (1002, 'pg_largeobject'::regclass, 0, 'anon', 'MASKED')",
    );
    let run = pgflit("clone").between(&pair).run().assert_code(0);
    run.assert_stderr("copied 3008 large objects")
        .assert_stderr("1 security labels of large objects are not copied");
    assert_equal(&pair.source, &pair.target);
    let pages = "SELECT count(*) FROM pg_largeobject WHERE loid IN (1005, 1006, 1008)";
    assert!(pair.target.number(pages) < 2000, "a hole was written out");
}

#[test]
fn large_objects_are_left_out_when_asked_and_so_is_what_belongs_to_them() {
    let pair = pair_with(OBJECTS);
    let none = pgflit("clone --skip-large-objects").between(&pair).run();
    none.assert_code(0);
    let count = "SELECT count(*) FROM pg_largeobject_metadata";
    assert_eq!(pair.target.number(count), 0);

    let pair = pair_with(OBJECTS);
    let plain = pgflit("clone --no-owner --no-acl --no-comments").between(&pair);
    plain.run().assert_code(0);
    assert_eq!(pair.target.number(count), 8);
    let more = "SELECT count(*) FROM pg_largeobject_metadata m
                 WHERE lomowner <> current_user::regrole OR lomacl IS NOT NULL
                    OR obj_description(oid, 'pg_largeobject') IS NOT NULL";
    assert_eq!(pair.target.number(more), 0);
}

#[test]
fn an_owner_who_is_no_superuser_copies_what_it_may_read_and_is_told_what_it_may_not() {
    let pair = Pair::new();
    for side in [&pair.source, &pair.target] {
        side.sql(
            "CREATE ROLE carol LOGIN; ALTER DATABASE app OWNER TO carol;
             ALTER SCHEMA public OWNER TO carol",
        );
    }
    pair.source.sql(
        "SET ROLE carol; SELECT lo_from_bytea(1, 'mine'), lo_from_bytea(2, '');
         SELECT lo_put(2, 9000000, 'far'); RESET ROLE; SELECT lo_from_bytea(77, 'not mine')",
    );
    let clone = || {
        let as_carol = |uri: &str| uri.replacen("postgres@", "carol@", 1);
        pgflit("clone")
            .dir(pair.dir())
            .arg("--source")
            .arg(as_carol(pair.source.uri()))
            .arg("--target")
            .arg(as_carol(pair.target.uri()))
    };
    let refused = clone().run().assert_code(6);
    refused
        .assert_stderr("1 large objects of the source may not be read")
        .assert_stderr("GRANT SELECT ON LARGE OBJECT 77");
    pair.source.sql("SELECT lo_unlink(77)");
    clone().run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn an_object_that_has_the_oid_already_is_named_and_replaced_only_when_asked() {
    let pair = Pair::new();
    pair.source.sql("SELECT lo_from_bytea(5, 'source')");
    pair.target
        .sql("SELECT lo_from_bytea(5, 'target'), lo_from_bytea(6, 'other')");
    let refused = pgflit("clone").between(&pair).run().assert_code(7);
    refused.assert_stderr("1 large objects already with OIDs that the source has too, 5 first");
    let replaced = pgflit("clone --drop-if-exists").between(&pair).run();
    replaced.assert_code(0);
    let all = "SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ' ' ORDER BY oid)
                 FROM pg_largeobject_metadata";
    assert_eq!(pair.target.sql(all), "source other");
}

#[test]
fn a_copy_killed_among_large_objects_goes_on_where_it_was() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    pair.source.sql(MANY);
    // Stands in the way of one of the later ranges.
    let gate = Held::open(&pair.target, "SELECT lo_from_bytea(22500, 'gate')");
    let run = pgflit("clone --follow --large-objects-jobs 2").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    let noted = "SELECT count(*) FROM pgflit.large_objects";
    let exists = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('pgflit.large_objects')";
    eventually(SOON, "all other ranges are there", || {
        pair.target.number(exists) == 1 && pair.target.number(noted) >= 2
    });
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    drop(gate);
    eventually(SOON, "the sessions of the killed run are gone", || {
        let ours = "SELECT count(*) FROM pg_stat_activity
                     WHERE application_name LIKE 'pgflit: large objects'";
        pair.target.number(ours) == 0
    });
    let before = pair
        .target
        .number("SELECT count(*) FROM pg_largeobject_metadata");
    assert!(before >= 1900, "{before} objects are there");
    let following = Following::resume(&pair).until_live();
    let left = 3000 - before;
    let told = format!("copied {left} large objects");
    assert!(following.run.stderr_contains(&told), "not {told:?}");
    following.end_equal();
}

#[test]
fn large_objects_that_change_while_following_are_copied_again_at_the_end() {
    let pair = pair_with(OBJECTS);
    pair.source.sql(MANY);
    pair.target
        .sql("SELECT lo_from_bytea(500, 'of the target')");
    let following = Following::start(&pair).until_live();
    pair.source.sql(
        "SELECT lo_put(1007, 50000000, 'changed'), lo_put(20007, 0, 'NO'),
                lo_truncate(lo_open(20008, 131072), 3), lo_unlink(20009),
                lo_from_bytea(20000, 'new'), lo_from_bytea(4000000000, 'new too');
         GRANT SELECT ON LARGE OBJECT 20010 TO bob;
         COMMENT ON LARGE OBJECT 20011 IS 'later'",
    );
    let ended = following.end();
    ended.assert_stderr("7 copied again, 1 removed");
    assert_eq!(
        pair.target.sql("SELECT convert_from(lo_get(500), 'UTF8')"),
        "of the target"
    );
    pair.target.sql("SELECT lo_unlink(500)");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn an_object_of_the_targets_own_is_not_replaced_by_one_that_the_source_makes_later() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); SELECT lo_from_bytea(5, 'x')");
    pair.target.sql("SELECT lo_from_bytea(6, 'own')");
    let following = Following::start(&pair);
    following.run.wait_for_stderr(LIVE);
    pair.source.sql("SELECT lo_from_bytea(6, 'later')");
    end_now(&pair);
    let ended = following.run.wait_for_exit().assert_code(7);
    ended
        .assert_stderr("the target had a large object 6 before")
        .assert_stderr("--resume");
    pair.target.sql("SELECT lo_unlink(6)");
    Following::resume(&pair).run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
