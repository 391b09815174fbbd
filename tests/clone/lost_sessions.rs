//! Sessions that somebody ends, and conflicts that pass: following begins again where the target
//! stands, by itself.

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::Following;
use crate::support::{Database, Held, PLUGINS, Pair, SOON, eventually, with_each};

const AGAIN: &str = "starting again";

const TABLES: &str = "
    CREATE TABLE fruit (id serial PRIMARY KEY, body text);
    CREATE TABLE last (id int PRIMARY KEY);";

/// A transaction of some megabytes a ten thousand rows that ends with a row in `last`.
fn transaction(rows: u32, last: u32) -> String {
    format!(
        "BEGIN; INSERT INTO fruit (body) SELECT repeat(md5(n::text), 9) FROM generate_series(1, {rows}) n;
         INSERT INTO last VALUES ({last}); COMMIT"
    )
}

/// Runs `scenario` live with each plugin that the source has.
fn live_with_each(scenario: impl Fn(&Pair, Following<'_>)) {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(TABLES);
        scenario(pair, Following::start_with(pair, plugin).until_live());
    });
}

#[track_caller]
fn until_waiting(database: &Database, sessions: i64) {
    eventually(SOON, "sessions wait for locks", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event_type = 'Lock' AND datname = current_database()";
        database.number(waiting) == sessions
    });
}

#[track_caller]
fn until_last(pair: &Pair, last: u32) {
    eventually(SOON, &format!("transaction {last} arrives"), || {
        let count = format!("SELECT count(*) FROM last WHERE id = {last}");
        pair.target.number(&count) == 1
    });
}

#[test]
fn a_session_that_applies_and_is_ended_inside_a_transaction_is_followed_by_another() {
    live_with_each(|pair, following| {
        // One that is held until it is whole, and one that is too large for that.
        for (turn, rows) in [(1, 10), (2, 30_000)] {
            let lock = Held::open(&pair.target, "LOCK TABLE last IN ACCESS EXCLUSIVE MODE");
            pair.source.sql(&transaction(rows, turn));
            until_waiting(&pair.target, 1);
            let ended = pair.target.number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE application_name = 'pgflit: apply'",
            );
            assert_eq!(ended, 1);
            following
                .run
                .wait_for_stderr_times(AGAIN, turn.try_into().unwrap());
            lock.commit();
            until_last(pair, turn);
        }
        following.end_equal();
    });
}

#[test]
fn a_walsender_that_is_ended_inside_a_transaction_is_followed_by_another() {
    live_with_each(|pair, following| {
        // That of the prefetch, and that of live replay.
        following
            .run
            .wait_for_stderr_times("receiving from slot", 2);
        let receive = Pid::from_raw(following.child("receive").pid as i32);
        // More than the network holds for one that does not read.
        signal::kill(receive, Signal::SIGSTOP).expect("it runs");
        pair.source.sql(&transaction(50_000, 1));
        eventually(SOON, "the source cannot send more of it", || {
            let stuck = "SELECT count(*) FROM pg_stat_activity
                WHERE backend_type = 'walsender' AND wait_event = 'WalSenderWriteData'";
            pair.source.number(stuck) == 1
        });
        pair.source
            .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
        signal::kill(receive, Signal::SIGCONT).expect("it runs");
        following.run.wait_for_stderr(AGAIN);
        until_last(pair, 1);
        following.end_equal();
    });
}

#[test]
fn what_may_pass_by_itself_is_tried_again() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    // Refuses every row twice, and no more: as it is written with others, and then by itself. A
    // sequence is not rolled back.
    pair.target.sql(
        "CREATE SEQUENCE pgflit.attempt;
         CREATE FUNCTION pgflit.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF nextval('pgflit.attempt') % 3 <> 0 THEN
                    RAISE EXCEPTION 'not now'
                        USING ERRCODE = ('{40001,40P01,55P03}'::text[])[NEW.id];
                END IF;
                RETURN NEW;
            END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON last
            FOR EACH ROW EXECUTE FUNCTION pgflit.refuse();
         ALTER TABLE last ENABLE ALWAYS TRIGGER refuse",
    );
    for turn in 1..=3 {
        pair.source.sql(&transaction(40, turn));
        until_last(&pair, turn);
        let tried = following.run.stderr().matches(AGAIN).count();
        assert_eq!(tried, turn as usize);
    }
    pair.target.sql(
        "DROP TRIGGER refuse ON last; DROP FUNCTION pgflit.refuse; DROP SEQUENCE pgflit.attempt",
    );
    following.end_equal();
}

#[test]
fn a_deadlock_that_apply_loses_is_tried_again() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, 0 FROM generate_series(1, 3) g",
    );
    let following = Following::start(&pair).until_live();
    let row = |id: u32| format!("SELECT FROM t WHERE id = {id} FOR UPDATE");
    let second = Held::open_as("second", &pair.target, &row(2));
    // Never the one to notice.
    let patient = format!("SET LOCAL deadlock_timeout = '1h'; {}", row(3));
    let mut third = Held::open_as("third", &pair.target, &patient);
    pair.source.sql(
        "BEGIN; UPDATE t SET n = 1 WHERE id = 1; UPDATE t SET n = 1 WHERE id = 2;
         UPDATE t SET n = 1 WHERE id = 3; COMMIT",
    );
    until_waiting(&pair.target, 1);
    std::thread::scope(|scope| {
        // Waits for apply, which has the first row, and has it once apply has lost.
        scope.spawn(|| third.run(&row(1)));
        until_waiting(&pair.target, 2);
        second.commit();
    });
    following.run.wait_for_stderr("deadlock detected");
    third.commit();
    following.run.wait_for_stderr(AGAIN);
    following.end_equal();
}
