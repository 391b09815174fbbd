//! The log: one line an event, on stderr and in a file if asked for.
//!
//! `2026-11-21 05:38:01 [1234] INFO  copied table=public.orders rows=120000`
//!
//! The supervisor and its three children write to the same stderr, so each line carries its
//! process id and is written by one write. Dependencies are heard from WARN on.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process;

use jiff::Zoned;
use jiff::fmt::strtime;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::log_file;
use super::log_line::{LogLine, LogShape};
use super::notify::{NewsLayer, Notifier};
use super::terminal;
use crate::cli::invocation::{LogSettings, Verbosity};

/// Times in the log unless told otherwise.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The target of plain progress lines.
pub(super) const PROGRESS: &str = "pgflit::progress";

/// The log cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The log file cannot be opened for appending.
    #[error("opening the log file {path}", path = path.display())]
    File {
        /// As given by `--log-file`.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The time format is not one of strftime's.
    #[error("\"{format}\" is not a time format such as {TIME_FORMAT}")]
    TimeFormat {
        /// As given by `--log-time-format`.
        format: String,
        /// What is wrong with it.
        #[source]
        source: jiff::Error,
    },
    /// Something else in this process has started a log before.
    #[error("starting the log")]
    Started(#[source] tracing::subscriber::SetGlobalDefaultError),
}

/// Starts the log of this process; once, before anything is logged. What is news also goes to
/// `notifier`.
pub fn start(settings: &LogSettings, notifier: Option<&Notifier>) -> Result<(), LoggingError> {
    let lines = LineLayer::new(settings)?;
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("pgflit", level(settings.verbosity))
        // Whoever asks for progress gets it, also with --quiet.
        .with_target(PROGRESS, LevelFilter::INFO);
    let news = notifier.map(|notifier| notifier.layer().with_filter(filter_fn(NewsLayer::is_news)));
    let subscriber = tracing_subscriber::registry()
        .with(lines.with_filter(levels))
        .with(news);
    tracing::subscriber::set_global_default(subscriber).map_err(LoggingError::Started)
}

fn level(verbosity: Verbosity) -> LevelFilter {
    match verbosity {
        Verbosity::Quiet => LevelFilter::WARN,
        Verbosity::Normal => LevelFilter::INFO,
        Verbosity::Debug => LevelFilter::DEBUG,
        Verbosity::Trace => LevelFilter::TRACE,
    }
}

/// Writes each event as one line.
struct LineLayer {
    shape: LogShape,
    file: Option<File>,
    time_format: String,
    pid: u32,
}

impl LineLayer {
    fn new(settings: &LogSettings) -> Result<Self, LoggingError> {
        let time_format = settings.time_format.as_deref().unwrap_or(TIME_FORMAT);
        strtime::format(time_format, &Zoned::now()).map_err(|source| LoggingError::TimeFormat {
            format: time_format.to_owned(),
            source,
        })?;
        let open = |path: &PathBuf| {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            opened.map_err(|source| LoggingError::File {
                path: path.clone(),
                source,
            })
        };
        let colored = settings.color.on(io::stderr().is_terminal());
        Ok(LineLayer {
            shape: match (settings.json, colored) {
                (true, _) => LogShape::Json,
                (false, true) => LogShape::Colored,
                (false, false) => LogShape::Plain,
            },
            file: settings.file.as_ref().map(open).transpose()?,
            time_format: time_format.to_owned(),
            pid: process::id(),
        })
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = Zoned::now();
        let time = strtime::format(&self.time_format, &now).unwrap_or_else(|_| now.to_string());
        let line = LogLine::of_event(event, time, self.pid);
        terminal::write(line.format(self.shape).as_bytes());
        let plain = line.format(self.shape.without_color());
        if let Some(mut file) = self.file.as_ref() {
            // A log that cannot be written must not stop what it tells about.
            let _ = file.write_all(plain.as_bytes());
        }
        log_file::append(&plain);
    }
}
