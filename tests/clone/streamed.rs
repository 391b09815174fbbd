//! Transactions that the source streams while they are in progress, through a whole migration.

use nix::sys::signal::Signal;

use super::Following;
use super::following::LIVE;
use crate::support::{Held, Pair, SOON, eventually, source_options, target_options};

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE quick (id int PRIMARY KEY, body text);
    CREATE TABLE slow (id int PRIMARY KEY, body text, CHECK (gate()));
    INSERT INTO quick SELECT n, 'copied' FROM generate_series(1, 100) n;
    INSERT INTO slow SELECT n, 'copied' FROM generate_series(1, 100) n;";

fn pair() -> Pair {
    let source = source_options().setting("logical_decoding_work_mem", "64kB");
    let pair = Pair::with(source, target_options());
    pair.source.sql(TABLES);
    pair
}

/// Some 800 kB in both tables, from the id `first` on; half of it in a subtransaction, and more in
/// one that never happened.
fn rows(first: u32) -> String {
    let insert = |table: &str, first: u32| {
        format!(
            "INSERT INTO {table} SELECT n, repeat(md5(n::text), 12)
               FROM generate_series({first}, {first} + 499) n"
        )
    };
    let both = |first| format!("{}; {}", insert("quick", first), insert("slow", first));
    format!(
        "{}; SAVEPOINT a; {}; SAVEPOINT b; {}; ROLLBACK TO b; RELEASE a;
         UPDATE quick SET body = 'changed by {first}' WHERE id % 100 = {first} / 10000",
        both(first),
        both(first + 500),
        both(first + 1000)
    )
}

/// Returns once pieces of them all are on disk; at once where the source does not stream.
#[track_caller]
fn until_streamed<const N: usize>(pair: &Pair, in_progress: [&Held; N]) {
    if pair.source.number("SHOW server_version_num") < 140_000 {
        return;
    }
    let files = in_progress.map(|held| pair.dir().join(format!("cdc/{}.streamed", held.xid())));
    eventually(SOON, "transactions in progress are on disk", || {
        files.iter().all(|file| file.exists())
    });
}

#[test]
fn what_is_in_progress_during_a_copy_and_its_crash_counts_once_or_never() {
    let pair = pair();
    let open = |name: &str, first| Held::open_as(name, &pair.source, &rows(first));
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let following = Following::start(&pair);
    following.run.wait_for_stderr("copied public.quick:");
    // The copy of one table sees none of these; that of the other, after the crash, sees the first.
    let [between, mut later, never] = [("between", 10_000), ("later", 20_000), ("never", 30_000)]
        .map(|(name, first)| open(name, first));
    until_streamed(&pair, [&between, &later, &never]);
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    between.commit();
    gate.commit();
    let following = Following::resume(&pair).until_live();
    // What they did before the source was asked again comes with what they do now, or at the end.
    later.run(&rows(40_000));
    until_streamed(&pair, [&later]);
    never.end("ROLLBACK");
    later.commit();
    following.end_equal();
    assert_eq!(pair.target.sql("SELECT max(id) FROM quick"), "40999");
}

#[test]
fn a_receive_that_is_killed_while_transactions_are_in_progress_gets_them_again() {
    let pair = pair();
    let open = |name: &str, first| Held::open_as(name, &pair.source, &rows(first));
    let following = Following::start(&pair).until_live();
    let mut first = open("first", 10_000);
    let never = open("never", 20_000);
    until_streamed(&pair, [&first, &never]);
    following.child("receive").kill();
    following.run.wait_for_stderr_times(LIVE, 2);
    first.run(&rows(40_000));
    let second = open("second", 30_000);
    until_streamed(&pair, [&first, &second]);
    never.end("ROLLBACK");
    second.commit();
    first.commit();
    eventually(SOON, "both are on the target", || {
        pair.target.sql("SELECT count(*) FROM slow") == "3100"
    });
    following.end_equal();
}
