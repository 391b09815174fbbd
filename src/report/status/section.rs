//! What is said of a migration, section by section, in words that carry how good it is.

use std::time::Duration;

use crate::base::Side;
use crate::base::quantity::ByteSize;
use crate::migration::status::model::{Cutover, Proxy, Server, Slot, Stall, State, Status, Stream};
use crate::report::progress::{Picture, Stage, coarse, printable, shorten};

/// So many tables and indexes in flight are shown.
const IN_FLIGHT_MAX: usize = 8;

/// A tenth of the disk: time to act.
const DISK_LITTLE: u64 = 10;

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Dim,
    Good,
    Warn,
    Bad,
}

/// Some words of one tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// One line, which may be wrapped.
pub(super) type Line = Vec<Span>;

/// What belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) label: &'static str,
    pub(super) lines: Vec<Line>,
}

/// How much room a bar has, and of what it is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bars {
    /// Columns of a line.
    pub(super) width: usize,
    /// Whether the terminal knows more than ASCII.
    pub(super) unicode: bool,
}

fn span(tone: Tone, text: impl Into<String>) -> Span {
    Span {
        text: text.into(),
        tone,
    }
}

fn plain(text: impl Into<String>) -> Line {
    vec![span(Tone::Plain, text)]
}

fn dim(text: impl Into<String>) -> Line {
    vec![span(Tone::Dim, text)]
}

fn seconds(seconds: f64) -> String {
    match seconds {
        0.0..10.0 => format!("{seconds:.1} s"),
        _ => coarse(Duration::try_from_secs_f64(seconds).unwrap_or_default()),
    }
}

/// A bar of `width` columns, brackets included.
pub(super) fn bar(percent: u8, width: usize, unicode: bool) -> String {
    let (full, empty) = if unicode { ('█', '░') } else { ('#', '.') };
    let inner = width.saturating_sub(2);
    let done = inner * usize::from(percent.min(100)) / 100;
    let bar = (0..inner).map(|at| if at < done { full } else { empty });
    format!("[{}]", bar.collect::<String>())
}

/// The state in one sentence.
pub fn headline(status: &Status) -> String {
    judged(status).text
}

pub(super) fn judged(status: &Status) -> Span {
    if let Some(cutover) = status.cutover.as_ref().filter(|one| one.in_progress) {
        let text = format!("moving traffic to the {}: {}", cutover.to, cutover.state);
        return span(Tone::Warn, text);
    }
    let moved = status.cutover.as_ref().zip(status.serves);
    match (status.state, moved) {
        (_, Some((_, Side::Target))) => back(status),
        (State::Finished, Some((cutover, Side::Source))) if cutover.to == Side::Source => {
            let text = "traffic is on the source again";
            span(Tone::Good, text)
        }
        (State::Empty, _) => span(Tone::Dim, "no migration has begun here"),
        (State::Finished, _) => span(Tone::Good, "finished"),
        (State::Running, _) => span(Tone::Good, format!("running: {}", doing(status))),
        (State::Interrupted, _) => span(
            Tone::Bad,
            format!(
                "interrupted while {}: nothing is lost, go on with the same command and --resume",
                doing(status)
            ),
        ),
    }
}

/// Traffic has moved: what matters is whether changes go back.
fn back(status: &Status) -> Span {
    let back = status.streams.iter().rev();
    let back = back.clone().find(|stream| stream.from == Side::Target);
    match back.map(|stream| stream.state) {
        Some(State::Running) => span(
            Tone::Good,
            "traffic is on the target; changes go back to the source",
        ),
        Some(State::Interrupted) => span(
            Tone::Bad,
            "traffic is on the target; changes do not go back: nobody streams them",
        ),
        _ => span(Tone::Good, "traffic is on the target"),
    }
}

/// What is being done, or was when it was interrupted.
fn doing(status: &Status) -> String {
    let first = status.streams.first();
    match &status.copy {
        Some(copy) if copy.stage == Stage::BetweenSteps || copy.stage == Stage::Following => {
            following(first)
        }
        Some(copy) if copy.percent < 100 && copy.tables.total > 0 => {
            format!("{}, {}%", copy.stage.words(), copy.percent)
        }
        Some(copy) => copy.stage.words().to_owned(),
        None => following(first),
    }
}

fn following(stream: Option<&Stream>) -> String {
    let mode = stream.and_then(|stream| stream.mode);
    mode.map_or("following", |mode| mode.words()).to_owned()
}

/// Everything, the most important first.
pub(super) fn sections(status: &Status, bars: Bars) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut add = |label, lines: Vec<Line>| {
        if !lines.is_empty() {
            sections.push(Section { label, lines });
        }
    };
    add("stalled", stalls(&status.stalls));
    add(
        "copy",
        status
            .copy
            .as_ref()
            .map_or_else(Vec::new, |copy| self::copy(copy, status.state, bars)),
    );
    add("changes", changes(status));
    add(
        "cutover",
        status.cutover.as_ref().map_or_else(Vec::new, cutover),
    );
    add("proxy", status.proxy.as_ref().map_or_else(Vec::new, proxy));
    add("source", server(&status.source));
    add("target", server(&status.target));
    add("disk", disk(status));
    add("warnings", warnings(status));
    sections
}

fn stalls(stalls: &[Stall]) -> Vec<Line> {
    let lines = stalls.iter().flat_map(|stall| {
        let text = format!(
            "{} {} (for {})",
            printable(&stall.what),
            printable(&stall.why),
            seconds(stall.seconds)
        );
        [
            vec![span(Tone::Bad, text)],
            plain(format!("hint: {}", stall.hint)),
        ]
    });
    lines.collect()
}

fn copy(copy: &Picture, state: State, bars: Bars) -> Vec<Line> {
    // One without a byte is done, too.
    let is_done = copy.percent == 100 || state == State::Finished;
    let percent = if is_done { 100 } else { copy.percent };
    let mut facts = vec![copy.sizes()];
    if state == State::Running && !is_done {
        facts.extend(copy.rate());
        facts.extend(copy.time_left());
    }
    let bar_width = if bars.width >= 60 { 26 } else { 12 };
    let tone = if is_done { Tone::Good } else { Tone::Plain };
    let mut lines = vec![vec![
        span(tone, bar(percent, bar_width, bars.unicode)),
        span(Tone::Plain, format!(" {percent}%  {}", facts.join(", "))),
    ]];
    let mut counts = format!(
        "tables {} of {}, indexes {} of {}",
        copy.tables.done, copy.tables.total, copy.indexes.done, copy.indexes.total
    );
    if bars.width >= 60 {
        counts.push_str(&format!(", {} rows", copy.rows));
    }
    lines.push(plain(counts));
    lines.extend(in_flight(copy, bars));
    lines
}

/// Tables and indexes that are being worked on.
fn in_flight(copy: &Picture, bars: Bars) -> Vec<Line> {
    let is_wide = bars.width >= 60;
    let (name_width, bar_width) = if is_wide { (30, 18) } else { (20, 10) };
    let ellipsis = if bars.unicode { "…" } else { "..." };
    let name = |text: &str| {
        let text = shorten(text, name_width, ellipsis);
        let spaces = name_width.saturating_sub(console::measure_text_width(&text));
        format!("{text}{}", " ".repeat(spaces))
    };
    let tables = copy.tables.in_progress.iter().map(|table| {
        let mut line = format!(
            "{} {} {:>3}%",
            name(&table.shown()),
            bar(table.percent, bar_width, bars.unicode),
            table.percent
        );
        if is_wide {
            let size = ByteSize(table.total_bytes);
            line.push_str(&format!("  {size}, {}", coarse(table.elapsed)));
        }
        plain(line)
    });
    let indexes = copy.indexes.in_progress.iter().map(|index| {
        let name = name(&index.name.shown());
        let elapsed = coarse(index.elapsed);
        plain(match is_wide {
            true => format!("{name} index, {}, {elapsed}", ByteSize(index.bytes)),
            false => format!("{name} index, {elapsed}"),
        })
    });
    let all: Vec<_> = tables.chain(indexes).collect();
    let more = all.len().saturating_sub(IN_FLIGHT_MAX);
    let mut lines: Vec<_> = all.into_iter().take(IN_FLIGHT_MAX).collect();
    if more > 0 {
        lines.push(dim(format!("and {more} more")));
    }
    lines
}

fn changes(status: &Status) -> Vec<Line> {
    let mut lines = Vec::new();
    for stream in &status.streams {
        lines.extend(match stream.state {
            State::Finished => ended(stream),
            _ => under_way(stream),
        });
    }
    lines
}

fn ended(stream: &Stream) -> Vec<Line> {
    let at = stream.end_lsn.unwrap_or(stream.replayed_lsn);
    vec![dim(format!(
        "{} to {}: ended at {at}",
        stream.from,
        stream.from.other()
    ))]
}

fn under_way(stream: &Stream) -> Vec<Line> {
    let (from, to) = (stream.from, stream.from.other());
    let mode = match (stream.state, stream.mode) {
        (State::Interrupted, _) => span(Tone::Bad, "nobody streams"),
        (_, Some(mode)) => span(Tone::Good, mode.words()),
        (_, None) => span(Tone::Plain, "following"),
    };
    let mut first = vec![span(Tone::Plain, format!("{from} to {to}: ")), mode];
    if let Some(held) = stream.held {
        first.push(span(Tone::Warn, format!(", {}", held.words())));
    }
    let mut lag = vec![span(
        Tone::Plain,
        format!("lag {}", ByteSize(stream.lag_bytes)),
    )];
    if let Some(behind) = stream.lag_seconds {
        lag.push(span(Tone::Plain, format!(", {}", seconds(behind))));
    }
    if let Some(rate) = stream.apply_bytes_per_second {
        lag.push(span(Tone::Plain, format!("; applies {}/s", ByteSize(rate))));
    }
    if stream.fallbacks > 0 {
        let times = match stream.fallbacks {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let text = format!("; fell back to disk {times}");
        lag.push(span(Tone::Warn, text));
    }
    if stream.conflicts > 0 {
        let text = format!("; {} conflicts passed over", stream.conflicts);
        lag.push(span(Tone::Warn, text));
    }
    let mut at = Vec::new();
    at.extend(stream.current_lsn.map(|lsn| format!("{from} at {lsn}")));
    at.push(format!("received {}", stream.received_lsn));
    at.push(format!("replayed {}", stream.replayed_lsn));
    at.extend(stream.end_lsn.map(|lsn| format!("ends at {lsn}")));
    let mut lines = vec![first, lag, dim(at.join(", "))];
    lines.extend(stream.slot.as_ref().map(|slot| self::slot(slot, stream)));
    lines
}

fn slot(slot: &Slot, stream: &Stream) -> Line {
    let mut line = plain(format!(
        "slot {} keeps {} of WAL",
        printable(&stream.slot_name),
        ByteSize(slot.retained_bytes)
    ));
    match slot.wal_status.as_deref() {
        Some("lost") => line.push(span(Tone::Bad, ", and has lost what it needs")),
        Some("unreserved") => {
            line.push(span(Tone::Bad, ", and may lose it at the next checkpoint"));
        }
        _ => {}
    }
    if let Some(safe) = slot.safe_bytes {
        line.push(span(
            Tone::Plain,
            format!(", {} until it is cut off", ByteSize(safe)),
        ));
    }
    if !slot.active {
        line.push(span(Tone::Warn, ", nobody receives from it"));
    }
    line
}

fn cutover(cutover: &Cutover) -> Vec<Line> {
    let tone = match (cutover.state, cutover.in_progress) {
        ("done", _) => Tone::Good,
        ("rehearsed", _) => Tone::Plain,
        (_, true) => Tone::Warn,
        ("aborted", _) => Tone::Warn,
        _ => Tone::Bad,
    };
    let mut state = cutover.state.to_owned();
    if tone == Tone::Bad {
        state.push_str(", and nobody is at it: run the same command again");
    }
    let mut lines = vec![vec![
        span(
            Tone::Plain,
            format!("attempt {} to the {}: ", cutover.attempt, cutover.to),
        ),
        span(tone, state),
    ]];
    if let Some(problem) = &cutover.problem {
        lines.push(plain(printable(problem)));
    }
    lines
}

fn proxy(proxy: &Proxy) -> Vec<Line> {
    let problem = proxy.problem.iter();
    let problem = problem.map(|problem| vec![span(Tone::Bad, printable(problem))]);
    let Some(serves) = &proxy.serves else {
        return problem.collect();
    };
    let mut first = plain(format!("serves the {serves}, traffic "));
    first.push(match proxy.paused_seconds {
        None => span(Tone::Good, "flows"),
        Some(paused) => span(Tone::Warn, format!("is paused for {}", seconds(paused))),
    });
    if proxy.processes > 1 {
        first.push(span(
            Tone::Plain,
            format!(", {} processes", proxy.processes),
        ));
    }
    let clients = plain(format!(
        "{} clients, {} busy, {} held; {} transactions",
        proxy.clients, proxy.busy, proxy.held, proxy.transactions
    ));
    let mirrors = proxy.mirrors.iter().map(|mirror| {
        let mut line = plain(format!(
            "mirror {}: {} completed, {} dropped",
            printable(&mirror.name),
            mirror.completed,
            mirror.dropped
        ));
        if mirror.compared > 0 {
            let text = format!(
                ", {} of {} answers different",
                mirror.differences, mirror.compared
            );
            let tone = match mirror.differences {
                0 => Tone::Plain,
                _ => Tone::Warn,
            };
            line.push(span(tone, text));
        }
        line
    });
    [first, clients]
        .into_iter()
        .chain(mirrors)
        .chain(problem)
        .collect()
}

fn server(server: &Server) -> Vec<Line> {
    let address = server.address.as_deref().map(printable);
    if let Some(problem) = &server.problem {
        // Nobody has named it yet.
        let tone = if address.is_some() {
            Tone::Bad
        } else {
            Tone::Dim
        };
        let mut lines = vec![vec![span(tone, printable(problem))]];
        lines.extend(address.map(dim));
        return lines;
    }
    let mut line = plain(format!(
        "PostgreSQL {}",
        server.version.as_deref().unwrap_or("of unknown version")
    ));
    if let Some(lsn) = server.current_lsn {
        line.push(span(Tone::Plain, format!(" at {lsn}")));
    }
    let mut busy: Vec<(&str, usize)> = Vec::new();
    for session in &server.sessions {
        let purpose = session.purpose.split(',').next().unwrap_or_default();
        match busy.iter_mut().find(|(known, _)| *known == purpose) {
            Some((_, count)) => *count += 1,
            None => busy.push((purpose, 1)),
        }
    }
    if !busy.is_empty() {
        let busy: Vec<_> = busy
            .iter()
            .map(|(purpose, count)| format!("{count} {}", printable(purpose)))
            .collect();
        line.push(span(Tone::Plain, format!("; busy: {}", busy.join(", "))));
    }
    let mut lines = vec![line];
    lines.extend(address.map(dim));
    lines
}

fn disk(status: &Status) -> Vec<Line> {
    let disk = &status.disk;
    let mut line = plain(format!("segments {}", ByteSize(disk.segment_bytes)));
    if let (Some(free), Some(size)) = (disk.free_bytes, disk.size_bytes) {
        let tone = match free < size / DISK_LITTLE {
            true => Tone::Warn,
            false => Tone::Plain,
        };
        let text = format!(", {} free of {}", ByteSize(free), ByteSize(size));
        line.push(span(tone, text));
    }
    vec![line]
}

fn warnings(status: &Status) -> Vec<Line> {
    let lines = status.warnings.iter().map(|warning| {
        let tone = match warning.level.as_str() {
            "ERROR" => Tone::Bad,
            _ => Tone::Warn,
        };
        vec![
            span(Tone::Dim, format!("{} {}: ", warning.time, warning.process)),
            span(tone, printable(&warning.text)),
        ]
    });
    lines.collect()
}
