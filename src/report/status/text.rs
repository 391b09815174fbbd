//! The screen, once: labels on the left, what is said on the right; below each other where it is
//! narrow.

use console::measure_text_width;

use super::section::{Bars, Line, Section, Span, Tone, judged, sections};
use crate::base::quantity::ByteSize;
use crate::migration::status::Status;
use crate::migration::status::model::State;
use crate::report::progress::printable;
use crate::report::summary::Page;

/// A terminal with fewer columns has each label above its lines.
const COLUMNS_MIN: usize = 60;

/// Fewer columns than this are not filled more than they are.
const WRAP_MIN: usize = 20;

/// Lines for a file or pipe are as long as these, for whoever looks at them later.
const COLUMNS_OF_FILES: usize = 100;

/// Columns of a label and the space behind it.
const LABEL: usize = 10;

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Where it is printed.
    pub page: Page,
    /// Whether in colours.
    pub colored: bool,
    /// Whether more than ASCII can be shown.
    pub unicode: bool,
}

impl Look {
    /// For stdout as it is.
    pub fn of_stdout(colored: bool) -> Self {
        Self {
            page: crate::report::stdout::page(),
            colored,
            unicode: crate::report::terminal::knows_unicode(),
        }
    }

    fn width(self) -> usize {
        match self.page {
            Page::Terminal(width) => width.max(WRAP_MIN),
            Page::Endless => COLUMNS_OF_FILES,
        }
    }
}

/// All of it.
pub fn text(status: &Status, look: Look) -> String {
    let width = look.width();
    let head = format!("{}  ", printable(&status.work_dir));
    let mut text = String::new();
    put(&mut text, &[plain(&head)], "", width, look);
    let mut state = vec![judged(status)];
    if let Some(running) = &status.running {
        let text = format!(" (pid {}: {})", running.pid, printable(&running.command));
        state.push(Span {
            text,
            tone: Tone::Dim,
        });
    }
    put(&mut text, &[state], "", width, look);
    let is_narrow = width < COLUMNS_MIN;
    let indent = if is_narrow { 2 } else { LABEL };
    let bars = Bars {
        width: width - indent,
        unicode: look.unicode,
    };
    for section in sections(status, bars) {
        section_text(&mut text, &section, is_narrow, width, look);
    }
    match look.unicode {
        true => text,
        false => text.replace('…', "..."),
    }
}

/// The same in one line, without what does not change: for a log.
pub fn line(status: &Status) -> String {
    let mut line = judged(status).text;
    let unfinished = status.copy.as_ref().filter(|copy| copy.percent < 100);
    if let (Some(copy), State::Running | State::Interrupted) = (unfinished, status.state) {
        line.push_str(&format!("; {}", copy.sizes()));
    }
    let open = status.streams.iter();
    let open = open.filter(|stream| stream.state != State::Finished);
    for stream in open {
        line.push_str(&format!(
            "; {} to {}: lag {}",
            stream.from,
            stream.from.other(),
            ByteSize(stream.lag_bytes)
        ));
        if let Some(seconds) = stream.lag_seconds {
            line.push_str(&format!(", {seconds:.1} s"));
        }
    }
    for stall in &status.stalls {
        line.push_str(&format!("; {} {}", stall.what, stall.why));
    }
    printable(&line)
}

fn plain(text: &str) -> Line {
    vec![Span {
        text: text.to_owned(),
        tone: Tone::Plain,
    }]
}

fn section_text(text: &mut String, section: &Section, is_narrow: bool, width: usize, look: Look) {
    let tone = match section.label {
        "stalled" => Tone::Bad,
        _ => Tone::Dim,
    };
    let label = |label: &str| {
        let span = Span {
            text: label.to_owned(),
            tone,
        };
        colored(&span, look)
    };
    if is_narrow {
        text.push_str(&format!("{}\n", label(section.label)));
        put(text, &section.lines, "  ", width, look);
        return;
    }
    let mut own = String::new();
    put(&mut own, &section.lines, &" ".repeat(LABEL), width, look);
    let spaces = " ".repeat(LABEL - section.label.len());
    text.push_str(&format!("{}{spaces}", label(section.label)));
    text.push_str(&own[LABEL..]);
}

/// Appends `lines`, each wrapped between words to `width` and with `indent` before it.
fn put(text: &mut String, lines: &[Line], indent: &str, width: usize, look: Look) {
    let room = width.saturating_sub(indent.len()).max(WRAP_MIN);
    for line in lines {
        for wrapped in wrapped(line, room) {
            text.push_str(indent);
            for span in &wrapped {
                text.push_str(&colored(span, look));
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }
}

fn colored(span: &Span, look: Look) -> String {
    let code = match span.tone {
        Tone::Plain => return span.text.clone(),
        Tone::Dim => 2,
        Tone::Good => 32,
        Tone::Warn => 33,
        Tone::Bad => 31,
    };
    match look.colored {
        true => format!("\u{1b}[{code}m{}\u{1b}[0m", span.text),
        false => span.text.clone(),
    }
}

/// `line` in several of at most `room` columns, cut between words; a longer word is cut within.
pub(super) fn wrapped(line: &Line, room: usize) -> Vec<Line> {
    let mut wrapped = Wrapped {
        lines: vec![Vec::new()],
        used: 0,
        room,
    };
    let mut word = Vec::new();
    let characters = line
        .iter()
        .flat_map(|span| span.text.chars().map(|character| (character, span.tone)));
    for (character, tone) in characters {
        match character {
            ' ' => {
                wrapped.add_word(&std::mem::take(&mut word));
                wrapped.add_space(tone);
            }
            _ => word.push((character, tone)),
        }
    }
    wrapped.add_word(&word);
    wrapped.lines
}

/// Lines in the making.
struct Wrapped {
    lines: Vec<Line>,
    /// Columns of the last.
    used: usize,
    room: usize,
}

impl Wrapped {
    fn add_word(&mut self, word: &[(char, Tone)]) {
        let wide = |character: char| measure_text_width(character.encode_utf8(&mut [0; 4]));
        let width: usize = word.iter().map(|(character, _)| wide(*character)).sum();
        if self.used > 0 && self.used + width > self.room {
            self.begin_line();
        }
        for (character, tone) in word {
            let width = wide(*character);
            if self.used + width > self.room {
                self.begin_line();
            }
            self.add(*character, *tone, width);
        }
    }

    fn add_space(&mut self, tone: Tone) {
        let is_at_begin = self.used == 0 && self.lines.len() > 1;
        if !is_at_begin && self.used < self.room {
            self.add(' ', tone, 1);
        }
    }

    fn begin_line(&mut self) {
        self.lines.push(Vec::new());
        self.used = 0;
    }

    fn add(&mut self, character: char, tone: Tone, width: usize) {
        self.used += width;
        let Some(line) = self.lines.last_mut() else {
            return;
        };
        match line.last_mut() {
            Some(span) if span.tone == tone => span.text.push(character),
            _ => line.push(Span {
                text: character.to_string(),
                tone,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn shown(status: &Status, width: usize) -> String {
        let look = Look {
            page: Page::Terminal(width),
            colored: false,
            unicode: false,
        };
        text(status, look)
    }

    #[test]
    fn every_screen_fits_its_terminal_and_is_ascii_where_it_has_to_be() {
        for status in samples::all() {
            for width in [40, 59, 60, 80, 120] {
                let shown = shown(&status, width);
                for line in shown.lines() {
                    assert!(measure_text_width(line) <= width, "{width}: {line:?}");
                    assert!(!line.ends_with(' '), "{line:?}");
                }
                assert!(shown.is_ascii(), "{shown}");
            }
        }
    }

    #[test]
    fn a_copy_that_follows_is_told_on_one_screen() {
        assert_eq!(shown(&samples::copying(), 80), samples::COPYING_TEXT);
    }

    #[test]
    fn what_stalls_comes_first_and_says_what_to_do() {
        let shown = shown(&samples::stalled(), 80);
        assert!(
            shown.contains("stalled   apply waits for a lock on public.t"),
            "{shown}"
        );
        assert!(shown.contains("hint: end its transaction"), "{shown}");
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let look = Look {
            page: Page::Terminal(80),
            colored: true,
            unicode: true,
        };
        assert!(text(&samples::stalled(), look).contains("\u{1b}[31mstalled"));
        assert!(!shown(&samples::stalled(), 80).contains('\u{1b}'));
    }

    #[test]
    fn one_line_says_it_for_a_log() {
        let lines: Vec<_> = samples::all().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "no migration has begun here",
                "running: copying rows, 26%; 312 MB of 1.2 GB; source to target: lag 8.0 MB",
                "running: live replay; source to target: lag 64 kB, 0.2 s; apply waits for a lock on \
                 public.t held by pid 123 (app, user x, idle in transaction for 4m10s)",
                "interrupted while copying rows, 26%: nothing is lost, go on with the same command and \
                 --resume; 312 MB of 1.2 GB; source to target: lag 8.0 MB",
                "traffic is on the target; changes go back to the source; target to source: lag 64 kB, 0.2 s",
            ]
        );
    }

    #[test]
    fn the_headline_says_what_matters() {
        let heads: Vec<_> = samples::all().iter().map(super::super::headline).collect();
        assert_eq!(
            heads,
            [
                "no migration has begun here",
                "running: copying rows, 26%",
                "running: live replay",
                "interrupted while copying rows, 26%: nothing is lost, go on with the same command and --resume",
                "traffic is on the target; changes go back to the source",
            ]
        );
    }
}
