//! Throughput and lag, as they were from moment to moment.

use jiff::tz::TimeZone;

use super::html::{size, took};
use super::plot::Plot;
use super::scale::Unit;
use super::titled;
use crate::migration::report::{Facts, Stream};
use crate::store::{CutoverState, ROWS_STEP, Sample};

/// Rates that are drawn in a plot.
const RATES_MAX: usize = 240;

type Points = Vec<(f64, f64)>;

/// The section.
pub(super) fn section(facts: &Facts, zone: &TimeZone) -> String {
    let mut content = String::new();
    let own = facts.streams.first();
    let samples = own.map_or(&[][..], |own| &own.samples);
    if samples.is_empty() {
        content += "<p class=\"note\">Nobody has noted how it went on: it was done in steps by hand, \
                    ended within a second, or by an older pgflit.</p>\n";
        return titled("Over time", &content);
    }
    content += &throughput(facts, samples, zone);
    for stream in &facts.streams {
        content += &of_stream(facts, stream, zone);
    }
    titled("Over time", &content)
}

fn throughput(facts: &Facts, samples: &[Sample], zone: &TimeZone) -> String {
    let points = rates(&from_begin(facts, samples), |sample| sample.copied_bytes);
    let moved = points.iter().rposition(|(_, rate)| *rate > 0.0);
    let Some(last) = moved else {
        return "<p class=\"note\">No rows were moved by COPY while it was looked at.</p>\n"
            .to_owned();
    };
    // What comes after the copy would leave it no room.
    let shown = points
        .get(..(last + 2).min(points.len()))
        .unwrap_or(&points);
    let most = shown.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let begin = shown.first().map_or(0.0, |(at, _)| *at);
    let end = shown.last().map_or(0.0, |(at, _)| *at);
    let plot = Plot {
        title: "Base copy",
        says: format!("bytes of COPY data a second; at most {}", rate(most)),
        unit: Unit::BytesPerSecond,
        points: shown,
        span: (begin, end.max(begin + 1.0)),
        marks: &[],
        zone,
    };
    plot.html()
}

fn rate(bytes: f64) -> String {
    format!("{}/s", size(bytes as u64))
}

/// The samples, and before them the moment at which nothing was copied yet, where that is known.
fn from_begin(facts: &Facts, samples: &[Sample]) -> Vec<Sample> {
    let rows = facts.steps.iter().find(|step| step.name == ROWS_STEP);
    let begun = rows.map(|rows| rows.begun_at);
    let first = samples.first().map_or(0.0, |sample| sample.at);
    let mut all: Vec<_> = begun
        .filter(|begun| *begun < first && facts.times.begun_at <= *begun)
        .map(|at| Sample {
            at,
            ..Sample::default()
        })
        .into_iter()
        .collect();
    all.extend_from_slice(samples);
    all
}

/// How fast what `of` says has grown.
fn rates(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> Points {
    let samples = spread(samples);
    let rates = samples.windows(2).filter_map(|two| {
        let (one, next) = (two.first()?, two.last()?);
        let seconds = next.at - one.at;
        let grown = of(next).saturating_sub(of(one)) as f64;
        (seconds > 0.0).then(|| (next.at, grown / seconds))
    });
    let mut points: Points = rates.collect();
    if let (Some(first), Some((_, rate))) = (samples.first(), points.first().copied()) {
        points.insert(0, (first.at, rate));
    }
    points
}

/// Few enough samples that each rate is of a while: those of single seconds hide how it went.
fn spread(samples: &[Sample]) -> Vec<Sample> {
    let every = samples.len().div_ceil(RATES_MAX).max(1);
    let last = samples.len().saturating_sub(1);
    let kept = samples.iter().enumerate();
    let kept = kept.filter(|(at, _)| at % every == 0 || *at == last);
    kept.map(|(_, sample)| *sample).collect()
}

fn of_stream(facts: &Facts, stream: &Stream, zone: &TimeZone) -> String {
    if stream.sentinel.is_none() {
        return String::new();
    }
    let names = match stream.folder {
        None => ["Changes applied", "Lag", "Lag in time"].map(str::to_owned),
        Some(folder) => {
            ["changes applied", "lag", "lag in time"].map(|what| format!("Stream {folder}: {what}"))
        }
    };
    let samples = &stream.samples;
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return String::new();
    };
    let span = (first.at, last.at.max(first.at + 1.0));
    let marks = marks(facts, span);
    let following: Vec<_> = samples
        .iter()
        .filter(|sample| !sample.replay_lsn.is_zero())
        .copied()
        .collect();
    let applied = rates(&following, |sample| sample.replay_lsn.as_u64());
    let lag_of = |of: fn(&Sample) -> Option<f64>| -> Points {
        let points = samples
            .iter()
            .filter_map(|sample| Some((sample.at, of(sample)?)));
        points.collect()
    };
    let bytes = lag_of(|sample| sample.lag_bytes.map(|bytes| bytes as f64));
    let seconds = lag_of(|sample| sample.lag_seconds);
    let most = |points: &Points| points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let plots = [
        (
            &applied,
            Unit::BytesPerSecond,
            format!(
                "WAL of the source a second; at most {}",
                rate(most(&applied))
            ),
        ),
        (
            &bytes,
            Unit::Bytes,
            format!(
                "WAL that the target was behind; at most {}",
                size(most(&bytes) as u64)
            ),
        ),
        (
            &seconds,
            Unit::Seconds,
            format!(
                "since when the source had been ahead of the target, looked at every second; at most {}",
                took(most(&seconds))
            ),
        ),
    ];
    let mut html = String::new();
    for (title, (points, unit, says)) in names.iter().zip(plots) {
        if points.is_empty() {
            html += &format!(
                "<p class=\"note\">{title}: nothing was applied while it was looked at.</p>\n"
            );
            continue;
        }
        let plot = Plot {
            title,
            says,
            unit,
            points,
            span,
            marks: &marks,
            zone,
        };
        html += &plot.html();
    }
    if !marks.is_empty() {
        html += "<p class=\"note\">Dashed lines: all rows copied, and moves of traffic.</p>\n";
    }
    html
}

/// What happened within `span` that explains a plot.
fn marks(facts: &Facts, span: (f64, f64)) -> Vec<(f64, String)> {
    let copied = facts.steps.iter().filter(|step| step.name == ROWS_STEP);
    let copied = copied.filter_map(|step| Some((step.finished_at?, "all rows copied".to_owned())));
    let moves = facts.attempts.iter().filter(|attempt| {
        let state = attempt.past.cutover.state;
        matches!(state, CutoverState::Switched | CutoverState::Done)
    });
    let moves = moves.map(|attempt| {
        let to = attempt.past.cutover.to;
        (attempt.past.begun_at, format!("traffic goes to the {to}"))
    });
    copied
        .chain(moves)
        .filter(|(at, _)| (span.0..=span.1).contains(at))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_before_it_and_never_negative() {
        let sample = |at: f64, copied_bytes: u64| Sample {
            at,
            copied_bytes,
            ..Sample::default()
        };
        let samples = [
            sample(1.0, 0),
            sample(3.0, 20),
            sample(4.0, 10),
            sample(4.0, 50),
        ];
        let points = rates(&samples, |sample| sample.copied_bytes);
        assert_eq!(points, [(1.0, 10.0), (3.0, 10.0), (4.0, 0.0)]);
        assert_eq!(rates(&samples[..1], |sample| sample.copied_bytes), []);
        let many: Vec<_> = (0..1_999).map(|at| sample(f64::from(at), 0)).collect();
        let points = rates(&many, |sample| sample.copied_bytes);
        assert!(
            (200..=RATES_MAX + 2).contains(&points.len()),
            "{}",
            points.len()
        );
        assert_eq!(points.last(), Some(&(1_998.0, 0.0)));
    }
}
