//! Tables in several parts: every row in exactly one of them, whatever the key and the interruption.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Following;
use crate::support::{Held, Pair, Pgbench, SOON, assert_equal, eventually, let_pass, pgflit};

/// Keys of every kind, lying in order and not; and what has none.
const TABLES: &str = r#"
    CREATE TABLE serial (id serial PRIMARY KEY, body text);
    INSERT INTO serial (body) SELECT repeat('s', 100) FROM generate_series(1, 3000);
    CREATE TABLE sparse (id bigint PRIMARY KEY, body text);
    INSERT INTO sparse SELECT n::bigint * 1000003 - 9000000000, repeat('s', 100) FROM generate_series(1, 3000) n;
    INSERT INTO sparse VALUES (-9223372036854775808, 'min'), (9223372036854775807, 'max');
    CREATE TABLE skewed (id bigint, n int, body text, PRIMARY KEY (id, n));
    INSERT INTO skewed SELECT CASE WHEN n < 2500 THEN 7 ELSE n END, n, repeat('s', 100)
      FROM generate_series(1, 3000) n;
    CREATE TABLE disorder (id int PRIMARY KEY, body text);
    INSERT INTO disorder SELECT n, repeat('d', 100) FROM generate_series(1, 3000) n ORDER BY md5(n::text);
    CREATE TABLE marked (id uuid PRIMARY KEY, body text);
    INSERT INTO marked SELECT md5(n::text)::uuid, repeat('u', 100) FROM generate_series(1, 3000) n ORDER BY 1;
    CREATE TABLE "at ""times""" ("the ""moment""" timestamptz PRIMARY KEY, body text);
    INSERT INTO "at ""times""" VALUES ('-infinity'), ('4713-01-01 00:00:00+00 BC');
    INSERT INTO "at ""times""" SELECT '1999-12-31'::timestamptz + n * interval '7 days 1 microsecond', repeat('t', 100)
      FROM generate_series(1, 3000) n;
    INSERT INTO "at ""times""" VALUES ('294276-12-31 23:59:59.999999+00'), ('infinity');
    CREATE TABLE keyless (n int, body text, gone text, twice int GENERATED ALWAYS AS (n * 2) STORED);
    INSERT INTO keyless SELECT n % 10, repeat('k', 100) FROM generate_series(1, 3000) n;
    ALTER TABLE keyless DROP gone, ADD later int DEFAULT 5;
    CREATE TABLE parent (id int PRIMARY KEY, body text);
    CREATE TABLE heir (more int) INHERITS (parent);
    INSERT INTO parent SELECT n, repeat('p', 100) FROM generate_series(1, 3000) n;
    INSERT INTO heir SELECT n, repeat('h', 100), n FROM generate_series(1, 3000) n;
    CREATE TABLE toasted (id int PRIMARY KEY, body text);
    ALTER TABLE toasted ALTER body SET STORAGE EXTERNAL;
    INSERT INTO toasted SELECT n, repeat(md5(n::text), 1000) FROM generate_series(1, 20) n;
    CREATE TABLE shrunk (id int PRIMARY KEY, body text);
    INSERT INTO shrunk SELECT n, repeat('s', 100) FROM generate_series(1, 3000) n;
    CREATE TABLE none ();
    INSERT INTO none SELECT FROM generate_series(1, 20000);
    ANALYZE; DELETE FROM shrunk;
    CREATE TABLE empty (id int PRIMARY KEY);"#;

#[test]
fn every_row_of_a_table_in_parts_arrives_once_whatever_its_key() {
    for options in ["", "--skip-split-by-ctid", "--split-max-parts 2"] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let run = pgflit("clone --split-tables-larger-than")
            .arg("64 kB")
            .args(options.split_whitespace())
            .between(&pair)
            .run()
            .assert_code(0);
        for table in ["serial", "sparse", "skewed", "marked", "heir"] {
            let is_cut = run.stderr.contains(&format!("public.{table} part 2 of"));
            // What has no key of its own is cut by blocks, or not at all.
            let may_be_cut = table != "heir" || options != "--skip-split-by-ctid";
            assert_eq!(is_cut, may_be_cut, "{table} {options}\n{}", run.stderr);
        }
        if options == "--split-max-parts 2" {
            assert!(!run.stderr.contains("part 3 of"), "{}", run.stderr);
        }
        assert_equal(&pair.source, &pair.target);
    }
}

#[test]
fn a_part_that_a_killed_run_commits_late_is_not_put_together_with_later_ones() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE t (id int PRIMARY KEY, body text, CHECK (gate()));
         INSERT INTO t SELECT n, repeat('t', 100) FROM generate_series(1, 3000) n",
    );
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let options = "clone --follow --split-tables-larger-than 100kB";
    let run = pgflit(options).between(&pair).start();
    eventually(SOON, "its parts are being copied", || {
        let copies = "SELECT count(*) FROM pg_stat_progress_copy";
        pair.target.number(copies) > 0
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    drop(gate);
    eventually(SOON, "its server processes have ended", || {
        let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'pgflit: copy'";
        pair.target.number(ours) == 0
    });
    // As a server process would that was killed at the very end of its part.
    let late = Held::open(
        &pair.target,
        "INSERT INTO t VALUES (1, 'of the first run');
         INSERT INTO pgflit.part VALUES ('public', 't', 0, 4, 1, '1:1:', '0/1', 1, 1)",
    );
    pair.source
        .sql("UPDATE t SET body = 'later' WHERE id <= 10");
    let run = pgflit(options).resume().between(&pair).start();
    eventually(SOON, "the next run waits for its end", || {
        pair.target
            .number("SELECT count(*) FROM pg_locks WHERE NOT granted")
            == 1
    });
    late.commit();
    let following = Following { pair: &pair, run };
    following.until_live().end_equal();
}

#[test]
fn a_copy_in_parts_killed_at_random_moments_under_traffic_ends_exact() {
    let seed = std::env::var("PGFLIT_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("PGFLIT_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let pair = Pair::new();
    pair.source.sql(TABLES);
    Pgbench::init(&pair.source, 1);
    pair.source
        .sql("ALTER TABLE pgbench_history REPLICA IDENTITY FULL");
    let traffic = Pgbench::start_at(&pair.source, 200);
    let run = |resume: bool| {
        let run = pgflit("clone --follow --split-tables-larger-than 100kB --table-jobs 2");
        let run = if resume { run.resume() } else { run };
        run.between(&pair).start()
    };
    for at in 0..4 {
        let run = run(at > 0);
        let_pass(Duration::from_millis(random.random_range(300..1500)));
        run.signal(Signal::SIGKILL);
        run.wait_for_exit_within(SOON);
    }
    let following = Following {
        pair: &pair,
        run: run(true),
    };
    let following = following.until_live();
    traffic.stop();
    following.end_equal();
}

#[test]
fn a_part_whose_connection_is_cut_is_tried_again_under_its_snapshot() {
    for side in ["source", "target"] {
        let pair = Pair::new();
        pair.source.sql(
            "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
             CREATE TABLE t (id int PRIMARY KEY, body text, CHECK (gate()));
             INSERT INTO t SELECT n, repeat('t', 1900) FROM generate_series(1, 40000) n",
        );
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let run = pgflit("clone --split-tables-larger-than 20MB")
            .between(&pair)
            .start();
        let copying = "SELECT pid FROM pg_stat_progress_copy";
        let database = if side == "source" {
            &pair.source
        } else {
            &pair.target
        };
        eventually(SOON, "its parts are being copied", || {
            database.number(&format!("SELECT count(*) FROM ({copying}) c")) > 1
        });
        database.sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM ({copying} LIMIT 1) c"
        ));
        pair.source.sql("DELETE FROM t WHERE id % 2 = 0");
        gate.commit();
        run.wait_for_stderr("trying again");
        run.wait_for_exit().assert_code(0);
        assert_eq!(
            pair.target.number("SELECT count(*) FROM t"),
            40_000,
            "{side}"
        );
    }
}
