//! The head of the page: what was moved where, how far it is, and how long it took.

use jiff::tz::TimeZone;

use super::database;
use super::html::{date, escaped, facts as list, fine_ms, name, size, took, took_ms};
use super::titled;
use crate::base::Side;
use crate::base::quantity::grouped;
use crate::migration::report::{Attempt, Facts};
use crate::report::progress::State;
use crate::store::CutoverState;

/// Name, state, and when.
pub(super) fn header(facts: &Facts, zone: &TimeZone) -> String {
    let (class, state) = state(facts);
    format!(
        "<header>\n<h1>Migration of {} <span class=\"badge {class}\">{state}</span></h1>\n\
         <p>begun {}{}</p>\n</header>\n",
        name(database(&facts.run.source)),
        date(facts.times.begun_at, zone),
        match facts.times.finished_at {
            Some(at) => format!(", finished {}", date(at, zone)),
            None => String::new(),
        }
    )
}

/// How it is coloured, and what it is.
fn state(facts: &Facts) -> (&'static str, String) {
    match (facts.state, serves(facts)) {
        (State::Finished, Side::Target) => ("good", "finished, traffic moved".to_owned()),
        (State::Finished, Side::Source) => ("good", "finished".to_owned()),
        (State::Running, _) => (
            "",
            format!("running: {}", escaped(facts.picture.stage.words())),
        ),
        (State::Interrupted, _) => ("bad", "interrupted".to_owned()),
    }
}

/// Where traffic goes by what was decided last.
pub(super) fn serves(facts: &Facts) -> Side {
    let moved = facts.attempts.iter().rev().find(|attempt| {
        let state = attempt.past.cutover.state;
        matches!(state, CutoverState::Switched | CutoverState::Done)
    });
    moved.map_or(Side::Source, |attempt| attempt.past.cutover.to)
}

/// The first section.
pub(super) fn section(facts: &Facts, zone: &TimeZone) -> String {
    let run = &facts.run;
    let server = |address: &str, version: &Option<String>| match version {
        Some(version) => format!(
            "<code>{}</code><br/>PostgreSQL {}",
            escaped(address),
            escaped(version)
        ),
        None => format!("<code>{}</code>", escaped(address)),
    };
    let mut ends = vec![("Source", server(&run.source, &run.source_version))];
    if let Some(target) = &run.target {
        ends.push(("Target", server(target, &run.target_version)));
    }
    let mut content = list(&ends).replacen("<dl>", "<dl class=\"ends\">", 1);
    let picture = &facts.picture;
    let mut rows = vec![
        ("Total time", total_time(facts)),
        ("Tables", of_all(facts.tables.len(), picture.tables.total)),
        ("Rows copied", grouped(picture.rows)),
        ("Size on the source", size(picture.total_bytes)),
        ("Moved by COPY", size(picture.moved_bytes)),
        (
            "Indexes",
            of_all(picture.indexes.done, picture.indexes.total),
        ),
    ];
    if facts.state != State::Finished && picture.percent < 100 && picture.tables.total > 0 {
        rows.push(("Copied", format!("{} %", picture.percent)));
    }
    if let Some(lag) = lag(facts) {
        rows.push(("Lag at the end", lag));
    }
    if let Some(last) = facts.attempts.last() {
        rows.push(("Traffic goes to", serves(facts).to_string()));
        rows.push(("Last attempt to move it", outcome(last)));
    }
    content += &list(&rows).replacen("<dl>", "<dl class=\"big\">", 1);
    if facts.state == State::Interrupted {
        content += &format!(
            "<p class=\"problem\">Nobody is at it, and it is not finished: the same command with \
             <code>--resume</code> goes on. What is told here is as it was at {}.</p>\n",
            date(last_heard(facts), zone)
        );
    }
    titled("Summary", &content)
}

fn of_all(done: usize, all: usize) -> String {
    match done == all {
        true => grouped(all as u64),
        false => format!("{} of {}", grouped(done as u64), grouped(all as u64)),
    }
}

fn total_time(facts: &Facts) -> String {
    let end = facts.times.finished_at.unwrap_or(match facts.state {
        State::Running => facts.made_at,
        State::Interrupted | State::Finished => last_heard(facts),
    });
    took(end - facts.times.begun_at)
}

/// The last moment of which something is known.
pub(super) fn last_heard(facts: &Facts) -> f64 {
    let own = facts.streams.first();
    let sampled = own
        .and_then(|own| own.samples.last())
        .map(|sample| sample.at);
    let steps = facts
        .steps
        .iter()
        .map(|step| step.finished_at.unwrap_or(step.begun_at));
    let moments = steps.chain(sampled).chain([facts.times.begun_at]);
    moments.fold(0.0, f64::max)
}

/// How far the target was behind when it was last looked at.
fn lag(facts: &Facts) -> Option<String> {
    let last = facts.streams.first()?.samples.last()?;
    let bytes = size(last.lag_bytes?);
    Some(match last.lag_seconds {
        Some(seconds) => format!("{bytes}, {}", took(seconds)),
        None => bytes,
    })
}

/// How an attempt went, in words.
pub(super) fn outcome(attempt: &Attempt) -> String {
    let cutover = &attempt.past.cutover;
    let waited = format!("clients waited {}", fine_ms(attempt.held_ms()));
    match cutover.state {
        CutoverState::Done => format!("done, {waited}"),
        CutoverState::Switched => format!("decided, not at its end; {waited}"),
        CutoverState::Rehearsed => format!("rehearsed, {waited}"),
        CutoverState::Aborted => "undone".to_owned(),
        CutoverState::Begun | CutoverState::Holding => {
            format!("not over, after {}", took_ms(attempt.took_ms() as u64))
        }
    }
}
