//! What traffic is moved with is killed while it is moved: a server, a stream, a proxy.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use pgflit::base::failpoint::PLACES_OF_CUTOVERS;

use super::bank::{self, Bank};
use super::stage::{ALL_STREAMS, Stage};
use crate::support::{Run, let_pass, long_tests_wanted};

/// How long what was killed is missed at most before it is started again: some attempts end at once
/// without it, some wait for it.
const MISSED_MAX: Duration = Duration::from_millis(700);

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The server that traffic leaves.
    Left,
    /// The one that it goes to.
    Entered,
    /// Supervisors of streams.
    Streams,
    /// The proxy.
    Proxy,
    /// The machine that all of pgflit runs on: command, streams and proxy.
    Machine,
}

/// Kills the victim when the attempt is at `place`, starts it again, and runs the same command again:
/// traffic goes to the side that was meant, and to no other.
fn goes_on_without(
    stage: &mut Stage,
    bank: &Bank,
    (word, attempts): (&str, u32),
    (victim, place): (Victim, &str),
) {
    let to = match word {
        "cutover" => "target",
        _ => "source",
    };
    let what = format!("{word}, {victim:?} killed at \"{place}\"");
    let mut moving = stage.stops_at(
        &format!("{word} --yes --max-pause 30s --attempts {attempts}"),
        place,
    );
    let (source, target) = (
        &mut stage.pair.source_cluster,
        &mut stage.pair.target_cluster,
    );
    let (left, entered) = match to {
        "target" => (source, target),
        _ => (target, source),
    };
    match victim {
        Victim::Left => {
            left.kill().expect("it runs");
            misses(&mut moving);
            left.start().expect("it starts");
        }
        Victim::Entered => {
            entered.kill().expect("it runs");
            misses(&mut moving);
            entered.start().expect("it starts");
        }
        Victim::Streams => {
            let killed = stage.kill_streams();
            misses(&mut moving);
            stage.resume_streams(&killed);
        }
        Victim::Proxy => {
            drop(stage.proxy.take());
            stage.start_proxy();
            moving.signal(Signal::SIGCONT);
        }
        Victim::Machine => {
            moving.signal(Signal::SIGKILL);
            stage.kill_streams();
            drop(stage.proxy.take());
            stage.start_proxy();
            // As from cron: what has ended or waits for a cutover says so.
            stage.resume_streams(&ALL_STREAMS);
        }
    }
    let first = moving.wait_for_exit();
    println!("{what}: {:?}", first.code());
    assert_eq!(first.code().is_none(), victim == Victim::Machine);
    // Whatever came of it, clients go on without anybody's help, unless it is said that they wait.
    if !first.stderr.contains("and clients wait") {
        bank.goes_on();
    }
    let again = stage
        .command(&format!("{word} --yes --max-pause 30s"))
        .run();
    let is_there_already = again.code() == Some(3) && again.stderr.contains("already");
    assert!(
        again.code() == Some(0) || is_there_already,
        "{what}: first {:?}\n{}\nthen {:?}\n{}",
        first.code(),
        first.stderr,
        again.code(),
        again.stderr
    );
    bank.goes_on();
    assert_eq!(stage.serves(), to, "{what}");
    assert_eq!(stage.takes_writes(), to, "{what}");
}

/// The attempt goes on, with what was killed missing.
fn misses(moving: &mut Run) {
    moving.signal(Signal::SIGCONT);
    let began = Instant::now();
    while moving.is_running() && began.elapsed() < MISSED_MAX {
        let_pass(Duration::from_millis(20));
    }
}

/// One after the other, in turns there and back, `word` first, each tried so many times.
fn one_after_the_other(word: &str, attempts: u32, strokes: &[(Victim, &str)]) {
    let seed = rand::random_range(0..1_000_000);
    println!("seed {seed}");
    let mut stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 3, seed);
    if word == "rollback" {
        stage.moves("cutover");
    }
    let words = ["cutover", "rollback"].into_iter().cycle();
    let words = words.skip_while(|one| *one != word);
    for (stroke, word) in strokes.iter().zip(words) {
        let began = Instant::now();
        goes_on_without(&mut stage, &bank, (word, attempts), *stroke);
        println!("  {:?}", began.elapsed());
    }
    let serving = stage.database();
    let (broken, longest) = bank.close(&serving);
    println!("{broken} connections broke; the longest that a client has waited: {longest:?}");
    stage.until_equal(&bank::TABLES);
}

#[test]
fn a_server_that_crashes_while_traffic_moves_loses_nothing() {
    one_after_the_other(
        "cutover",
        1,
        &[
            (Victim::Left, "fence raised"),
            (Victim::Entered, "fence proven"),
            (Victim::Entered, "about to decide"),
            (Victim::Left, "decided"),
            (Victim::Entered, "decided"),
            (Victim::Left, "old stream ended"),
            (Victim::Entered, "way back set"),
        ],
    );
}

#[test]
fn a_stream_or_proxy_that_is_killed_while_traffic_moves_loses_nothing() {
    one_after_the_other(
        "cutover",
        1,
        &[
            (Victim::Streams, "fence proven"),
            (Victim::Proxy, "clients held"),
            (Victim::Streams, "record written"),
            (Victim::Proxy, "about to decide"),
            (Victim::Streams, "way back begun"),
            (Victim::Machine, "decided"),
        ],
    );
}

/// Every victim at every place, each of them there and back.
#[test]
fn whatever_is_killed_at_whichever_place_nothing_is_lost() {
    if !long_tests_wanted() {
        return;
    }
    for (word, attempts) in [("cutover", 1), ("rollback", 3)] {
        for victim in [
            Victim::Left,
            Victim::Entered,
            Victim::Streams,
            Victim::Proxy,
            Victim::Machine,
        ] {
            let strokes = PLACES_OF_CUTOVERS.iter().map(|place| (victim, *place));
            one_after_the_other(word, attempts, &strokes.collect::<Vec<_>>());
        }
    }
}
