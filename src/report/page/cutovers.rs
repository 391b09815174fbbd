//! Attempts to move traffic, step by step.

use jiff::tz::TimeZone;

use super::bars::{Bar, figure};
use super::html::{date, escaped, fine_ms};
use super::scale::{Unit, ticks};
use super::summary::outcome;
use super::titled;
use crate::migration::cutover::steps::Step;
use crate::migration::report::{Attempt, Facts};

/// The section; nothing where nobody has tried.
pub(super) fn section(facts: &Facts, zone: &TimeZone) -> String {
    if facts.attempts.is_empty() {
        return String::new();
    }
    let mut content = String::new();
    if facts.attempts_left_out > 0 {
        content += &format!(
            "<p class=\"note\">{} earlier ones are not told.</p>\n",
            facts.attempts_left_out
        );
    }
    let attempts = facts.attempts.iter().map(|attempt| told(attempt, zone));
    content += &attempts.collect::<String>();
    titled("Moves of traffic", &content)
}

fn told(attempt: &Attempt, zone: &TimeZone) -> String {
    let cutover = &attempt.past.cutover;
    let mut html = format!(
        "<h3>Attempt {} to the {}: {}</h3>\n<p class=\"note\">{}{}{}</p>\n",
        cutover.attempt,
        cutover.to,
        escaped(&outcome(attempt)),
        date(attempt.past.begun_at, zone),
        match cutover.marker {
            Some(marker) => format!("; everything up to {marker} was to be there"),
            None => String::new(),
        },
        match cutover.has_way_back {
            true => "; with a way back",
            false => "; without a way back",
        },
    );
    if let Some(problem) = &attempt.past.problem {
        html += &format!("<p class=\"problem\">{}</p>\n", escaped(problem));
    }
    if attempt.steps.is_empty() {
        return html + "<p class=\"note\">How long its steps took is not known.</p>\n";
    }
    let (held, free): (Vec<_>, Vec<_>) = attempt.steps.iter().partition(|step| step.held);
    for (title, steps, class) in [
        ("While clients waited", held, "held"),
        ("While traffic flowed", free, "done"),
    ] {
        if !steps.is_empty() {
            html += &drawn(title, &steps, class);
        }
    }
    html
}

/// One after the other, each beginning where the one before it ended.
fn drawn(title: &str, steps: &[&Step], class: &'static str) -> String {
    let mut at = 0.0;
    let bars = steps.iter().map(|step| {
        let begin = at;
        at += step.ms;
        Bar {
            name: step.name.clone(),
            span: (begin, at),
            says: fine_ms(step.ms),
            class,
        }
    });
    let bars: Vec<_> = bars.collect();
    let ticks = ticks(Unit::Millis, at)
        .into_iter()
        .filter(|tick| *tick <= at);
    let ticks = ticks
        .map(|tick| (tick, Unit::Millis.text(tick, at)))
        .collect();
    figure(
        title,
        &format!("{} in all", fine_ms(at)),
        &bars,
        (0.0, at.max(0.001)),
        &ticks,
    )
}
