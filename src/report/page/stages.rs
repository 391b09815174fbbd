//! What came after what: the steps of the copy, change capture, and moves of traffic.

use jiff::tz::TimeZone;

use super::bars::{Bar, figure};
use super::html::{date, escaped, size, took, took_ms};
use super::scale::clock;
use super::summary::last_heard;
use super::titled;
use crate::base::quantity::grouped;
use crate::migration::report::Facts;
use crate::report::progress::{Stage, State};
use crate::store::{CutoverState, HANDED_OVER_STEP};

/// The section.
pub(super) fn section(facts: &Facts, zone: &TimeZone) -> String {
    let bars = bars(facts);
    if bars.is_empty() {
        let content = "<p class=\"note\">No step has begun.</p>\n";
        return titled("Stages", content);
    }
    let begin = bars
        .iter()
        .map(|bar| bar.span.0)
        .fold(facts.times.begun_at, f64::min);
    let end = bars
        .iter()
        .map(|bar| bar.span.1)
        .fold(begin + 0.1, f64::max);
    let ticks = clock(begin, end, zone);
    let says = format!("from {}", date(begin, zone));
    let drawn = figure("What was done when", &says, &bars, (begin, end), &ticks);
    titled("Stages", &(drawn + &table(facts)))
}

fn words(step: &str) -> String {
    Stage::Step(step.to_owned()).words().to_owned()
}

fn bars(facts: &Facts) -> Vec<Bar> {
    let now = match facts.state {
        State::Running => facts.made_at,
        State::Interrupted | State::Finished => last_heard(facts),
    };
    let steps = facts
        .steps
        .iter()
        .filter(|step| step.name != HANDED_OVER_STEP);
    let steps = steps.map(|step| {
        let end = step.finished_at.unwrap_or(now).max(step.begun_at);
        let (class, more) = match (step.finished_at, facts.state) {
            (Some(_), _) => ("done", ""),
            (None, State::Running) => ("open", ", goes on"),
            (None, State::Interrupted | State::Finished) => ("open", ", not finished"),
        };
        Bar {
            name: words(&step.name),
            span: (step.begun_at, end),
            says: format!("{}{more}", took(end - step.begun_at)),
            class,
        }
    });
    let mut bars: Vec<_> = steps.collect();
    bars.extend(facts.streams.iter().filter_map(|stream| {
        let (first, last) = (stream.samples.first()?, stream.samples.last()?);
        stream.sentinel?;
        let begin = match stream.folder {
            None => facts.times.begun_at,
            Some(_) => first.at,
        };
        Some(Bar {
            name: match stream.folder {
                None => "capturing changes".to_owned(),
                Some(folder) => format!("stream {folder}"),
            },
            span: (begin, last.at.max(begin)),
            says: took(last.at - begin),
            class: "done",
        })
    }));
    bars.extend(facts.attempts.iter().map(|attempt| {
        let begin = attempt.past.begun_at;
        let took = attempt.took_ms();
        let what = match attempt.past.cutover.state {
            CutoverState::Rehearsed => "rehearsal",
            CutoverState::Aborted => "undone move",
            _ => "traffic",
        };
        Bar {
            name: format!("{what} to the {}", attempt.past.cutover.to),
            span: (begin, begin + took / 1000.0),
            says: took_ms(took as u64),
            class: "held",
        }
    }));
    bars.sort_by(|a, b| a.span.0.total_cmp(&b.span.0));
    bars
}

/// The same in numbers, with who worked on it.
fn table(facts: &Facts) -> String {
    if facts.step_summaries.is_empty() {
        return String::new();
    }
    let steps = facts.step_summaries.iter();
    let rows = steps
        .filter(|step| step.name != HANDED_OVER_STEP)
        .map(|step| {
            let number = |value: Option<String>| {
                format!("<td class=\"n\">{}</td>", value.unwrap_or_default())
            };
            format!(
                "<tr><td>{}</td><td>{}</td>{}{}{}{}</tr>\n",
                escaped(&words(&step.name)),
                escaped(&step.connection),
                number(step.duration_ms.map(took_ms)),
                number(step.work_ms.map(took_ms)),
                number(step.transfer_bytes.map(size)),
                number(step.concurrency.map(|count| grouped(count as u64))),
            )
        });
    format!(
        "<div class=\"wide\"><table>\n<thead><tr><th>Step</th><th>On</th><th class=\"n\">Duration</th>\
         <th class=\"n\">Work of all</th><th class=\"n\">Moved</th><th class=\"n\">Workers</th></tr>\
         </thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        rows.collect::<String>()
    )
}
