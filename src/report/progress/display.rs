//! The thread that looks and shows.

use std::io::IsTerminal;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as Template};
use jiff::Timestamp;

use super::bars::{self, Look};
use super::meter::{Meter, Sample};
use super::stage::Stage;
use super::{Picture, json, plain};
use crate::base::Shutdown;
use crate::cli::invocation::{LogSettings, OutputSettings, ProgressStyle, Verbosity};
use crate::report::logging::PROGRESS;
use crate::report::terminal;

/// How often bars are drawn: smooth to the eye, and nothing beside the copy.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// How often programs are told.
const JSON_EVERY: Duration = Duration::from_secs(1);
/// The first plain lines come sooner, as a sign of life, each after twice as long as the one
/// before, and then this often.
const PLAIN_FIRST: Duration = Duration::from_secs(2);
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// While changes are followed, which may be for weeks.
const PLAIN_FOLLOWING: Duration = Duration::from_secs(60);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Bars that redraw themselves.
    Bars {
        /// Whether they are coloured.
        color: bool,
    },
    /// A line of the log now and then.
    Plain,
    /// One JSON object a line.
    Json,
    /// Not at all.
    Off,
}

impl Shown {
    /// What the options and the terminal say.
    pub fn of(output: &OutputSettings, logging: &LogSettings) -> Self {
        let color = output.color.on(std::io::stderr().is_terminal());
        decide(output.progress, logging, terminal::can_redraw(), color)
    }

    /// Whether whatever else is written to stderr has to go above the bars.
    pub const fn redraws(self) -> bool {
        matches!(self, Shown::Bars { .. })
    }
}

fn decide(style: ProgressStyle, logging: &LogSettings, can_redraw: bool, color: bool) -> Shown {
    let is_quiet = logging.verbosity == Verbosity::Quiet;
    match style {
        ProgressStyle::Off => Shown::Off,
        ProgressStyle::Json => Shown::Json,
        ProgressStyle::Plain => Shown::Plain,
        ProgressStyle::Auto if is_quiet => Shown::Off,
        // Lines that a program reads have no bars between them.
        ProgressStyle::Auto if logging.json => Shown::Plain,
        ProgressStyle::Auto | ProgressStyle::Bar => match can_redraw {
            true => Shown::Bars { color },
            false => Shown::Plain,
        },
    }
}

/// Shows progress until dropped; then the terminal is as it was.
pub struct Display {
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Starts to show what `look` sees.
    pub fn start(shown: Shown, look: impl FnMut() -> Sample + Send + 'static) -> Self {
        let stop = Shutdown::default();
        let asked = stop.clone();
        let thread = thread::Builder::new().name("progress".to_owned());
        let thread = match shown {
            Shown::Off => None,
            // Without a thread there is no progress to be seen, which stops nothing.
            Shown::Bars { color } => thread.spawn(move || draw(color, look, &asked)).ok(),
            Shown::Plain => thread.spawn(move || log(look, &asked)).ok(),
            Shown::Json => thread.spawn(move || tell_programs(look, &asked)).ok(),
        };
        Display { stop, thread }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            // What it could not show is no reason to stop.
            let _ = thread.join();
        }
    }
}

/// Takes the bars away however the thread ends.
struct Bars(ProgressBar);

impl Bars {
    fn new() -> Self {
        let bars = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(template) = Template::with_template("{msg}") {
            bars.set_style(template);
        }
        terminal::keep_above(Some(bars.clone()));
        Self(bars)
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        terminal::keep_above(None);
        self.0.finish_and_clear();
    }
}

fn draw(color: bool, mut look: impl FnMut() -> Sample, stop: &Shutdown) {
    let bars = Bars::new();
    let term = Term::stderr();
    let unicode = terminal::knows_unicode();
    let mut meter = Meter::default();
    while !stop.sleep(DRAW_EVERY) {
        let picture = meter.look(&look(), Instant::now());
        let (height, width) = term.size();
        let look = Look {
            width: width.into(),
            height: height.into(),
            color,
            unicode,
        };
        bars.0.set_message(bars::lines(&picture, look).join("\n"));
    }
}

fn log(mut look: impl FnMut() -> Sample, stop: &Shutdown) {
    let mut meter = Meter::default();
    let mut wait = PLAIN_FIRST;
    let mut last = None;
    while !stop.sleep(wait) {
        let picture = meter.look(&look(), Instant::now());
        wait = match picture.stage {
            Stage::Following => PLAIN_FOLLOWING,
            _ => (wait * 2).min(PLAIN_EVERY),
        };
        let line = plain::line(&picture);
        if last.as_ref() != Some(&line) {
            tracing::info!(target: PROGRESS, "{line}");
            last = Some(line);
        }
    }
}

fn tell_programs(mut look: impl FnMut() -> Sample, stop: &Shutdown) {
    let mut meter = Meter::default();
    let mut last: Option<Picture> = None;
    loop {
        let ends = stop.sleep(JSON_EVERY);
        let picture = meter.look(&look(), Instant::now());
        if last.as_ref() != Some(&picture) {
            terminal::write(json::line(&picture, Timestamp::now()).as_bytes());
            last = Some(picture);
        }
        if ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::invocation::ColorChoice;

    fn shown(style: ProgressStyle, verbosity: Verbosity, json: bool, can_redraw: bool) -> Shown {
        let logging = LogSettings {
            verbosity,
            json,
            file: None,
            time_format: None,
            color: ColorChoice::Auto,
        };
        decide(style, &logging, can_redraw, true)
    }

    #[test]
    fn bars_are_for_terminals_and_for_people() {
        use ProgressStyle::{Auto, Bar};
        use Verbosity::{Normal, Quiet};
        let bars = Shown::Bars { color: true };
        assert_eq!(shown(Auto, Normal, false, true), bars);
        assert_eq!(shown(Auto, Normal, false, false), Shown::Plain);
        assert_eq!(shown(Auto, Normal, true, true), Shown::Plain);
        assert_eq!(shown(Auto, Quiet, false, true), Shown::Off);
        assert_eq!(shown(Bar, Quiet, true, true), bars);
        assert_eq!(shown(Bar, Normal, false, false), Shown::Plain);
    }

    #[test]
    fn what_is_asked_for_is_what_is_shown() {
        use Verbosity::Quiet;
        for (style, expected) in [
            (ProgressStyle::Plain, Shown::Plain),
            (ProgressStyle::Json, Shown::Json),
            (ProgressStyle::Off, Shown::Off),
        ] {
            assert_eq!(shown(style, Quiet, true, true), expected);
        }
    }
}
