//! A cutover is killed at every place, and so are the proxy and the streams.

use nix::sys::signal::Signal;
use pgflit::base::failpoint::PLACES_OF_CUTOVERS;

use super::bank::{self, Bank};
use super::stage::Stage;
use crate::support::{SOON, eventually};

/// Killed at `place`, then run again: traffic goes to one side, and nothing that was acknowledged is
/// missing.
fn goes_on_after(stage: &Stage, word: &str, place: &str) {
    let killed = stage.command(&format!("{word} --yes --max-pause 30s"));
    let killed = killed.env("PGFLIT_KILL_AT", place).run();
    assert_eq!(killed.code(), None, "{place}: {}", killed.stderr);
    let again = stage
        .command(&format!("{word} --yes --json --max-pause 30s"))
        .run();
    let is_there_already = again.code() == Some(3) && again.stderr.contains("already");
    assert!(
        again.code() == Some(0) || is_there_already,
        "{place}: {:?}\n{}",
        again.code(),
        again.stderr
    );
}

#[test]
fn killed_at_every_place_it_ends_on_one_side_and_nothing_is_lost() {
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 4, 7);
    let mut words = [("cutover", "target"), ("rollback", "source")]
        .into_iter()
        .cycle();
    for place in PLACES_OF_CUTOVERS {
        let (word, to) = words.next().expect("endless");
        goes_on_after(&stage, word, place);
        bank.goes_on();
        assert_eq!(stage.serves(), to, "{place}");
    }
    let (broken, longest) = bank.close(&stage.database());
    println!("the longest that a client has waited: {longest:?}");
    assert_eq!(broken, 0, "connections broke");
    stage.until_equal(&bank::TABLES);
}

/// Nobody runs it again: the proxy finds out by itself.
#[test]
fn clients_go_on_by_themselves_when_whoever_moves_them_has_gone() {
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 2, 8);
    let killed = stage.command("cutover --yes --max-pause 1s");
    killed.env("PGFLIT_KILL_AT", "stream drained").run();
    bank.goes_on();
    let proxy = stage.proxy.as_ref().expect("it runs");
    proxy.wait_for_stderr("whoever moves traffic has gone: attempt ");
    assert_eq!(stage.serves_whoever_is_there(), "source");
    // Decided: the proxy goes there although nobody has told it.
    let killed = stage.command("cutover --yes --max-pause 1s");
    killed.env("PGFLIT_KILL_AT", "decided").run();
    bank.goes_on();
    assert_eq!(stage.serves(), "target");
    let ended = stage.command("finalize --yes").run().assert_code(0);
    drop(ended);
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
}

/// What was left is ended first, and then what is asked for is done.
#[test]
fn whichever_command_comes_next_ends_what_a_killed_one_has_left() {
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 2, 10);
    for (killed, place, next, serves) in [
        ("cutover --dry-run", "stream drained", "cutover", "target"),
        ("rollback --yes", "fence raised", "rollback", "source"),
        ("cutover --yes", "decided", "rollback", "source"),
        ("cutover --yes", "switched", "cutover --dry-run", "target"),
        ("rollback --yes", "stream drained", "finalize", "target"),
    ] {
        let interrupted = stage.command(&format!("{killed} --max-pause 30s"));
        let interrupted = interrupted.env("PGFLIT_KILL_AT", place).run();
        assert_eq!(interrupted.code(), None, "{}", interrupted.stderr);
        let words = match next {
            "cutover --dry-run" => next.to_owned(),
            _ => format!("{next} --yes"),
        };
        let done = stage.command(&words).run();
        // Where traffic is already, there is nothing to rehearse.
        let wanted = if next == "cutover --dry-run" { 3 } else { 0 };
        let done = done.assert_code(wanted);
        done.assert_stderr("was interrupted: it is ended first");
        bank.goes_on();
        assert_eq!((stage.serves(), stage.takes_writes()), (serves, serves));
    }
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
}

/// A proxy that is killed loses its connections and nothing else; the next one serves the right side,
/// whatever was going on.
#[test]
fn a_proxy_that_starts_serves_the_side_that_was_decided() {
    let mut stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 3, 9);
    for (word, place, serves) in [
        // Undecided: it decides for the side where traffic is.
        ("cutover", "stream drained", "source"),
        ("cutover", "decided", "target"),
        ("rollback", "switched", "source"),
    ] {
        let killed = stage.command(&format!("{word} --yes --max-pause 30s"));
        killed.env("PGFLIT_KILL_AT", place).run();
        let proxy = stage.proxy.take().expect("it runs");
        proxy.signal(Signal::SIGKILL);
        drop(proxy);
        stage.start_proxy();
        bank.goes_on();
        eventually(SOON, "the side that was decided serves", || {
            stage.serves_whoever_is_there() == serves
        });
        // Ends what was interrupted.
        stage
            .command(&format!("{word} --yes --max-pause 30s"))
            .run();
        bank.goes_on();
    }
    let serving = stage.database();
    let (_, longest) = bank.close(&serving);
    println!("the longest that a client has waited: {longest:?}");
    stage.until_equal(&bank::TABLES);
}
