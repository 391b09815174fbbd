//! Options that every command has.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::cli::error::UsageError;
use crate::cli::invocation::{ColorChoice, LogSettings, OutputSettings, ProgressStyle, Verbosity};
use crate::cli::settings::Settings;

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct GlobalArgs {
    /// Take options that are not given from this TOML file; its keys are their long names
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,

    /// How to show progress on stderr [default: auto]
    #[arg(
        long,
        global = true,
        value_name = "STYLE",
        hide_possible_values = false
    )]
    progress: Option<ProgressStyle>,

    /// When to use colours [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    color: Option<ColorChoice>,

    /// Log what is decided and why; twice for each step
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    /// The same as --verbose
    #[arg(long, global = true, hide_short_help = true)]
    notice: bool,

    /// The same as --verbose
    #[arg(short = 'd', long, global = true, hide_short_help = true)]
    debug: bool,

    /// The same as --verbose twice
    #[arg(short = 'z', long, global = true, hide_short_help = true)]
    trace: bool,

    /// Log warnings and errors only
    #[arg(short, long, global = true, conflicts_with_all = ["verbose", "notice", "debug", "trace"])]
    quiet: bool,

    /// Log one JSON object a line
    #[arg(long, global = true)]
    log_json: bool,

    /// Append the log to this file as well
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,

    /// Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]
    #[arg(long, global = true, value_name = "FORMAT", hide_short_help = true)]
    log_time_format: Option<String>,
}

impl GlobalArgs {
    pub(super) fn resolve(
        self,
        settings: &Settings<'_>,
    ) -> Result<(LogSettings, OutputSettings), UsageError> {
        let color = match settings.choice("color", self.color)? {
            Some(color) => color,
            None if settings.environment.get("NO_COLOR").is_some() => ColorChoice::Never,
            None => ColorChoice::Auto,
        };
        let logging = LogSettings {
            verbosity: self.verbosity(),
            json: settings.switch("log-json", self.log_json)?,
            file: settings.value("log-file", self.log_file)?,
            time_format: settings.value("log-time-format", self.log_time_format)?,
            color,
        };
        let progress = settings.choice("progress", self.progress)?;
        let output = OutputSettings {
            json: settings.switch("json", self.json)?,
            color,
            progress: progress.unwrap_or(ProgressStyle::Auto),
        };
        Ok((logging, output))
    }

    fn verbosity(&self) -> Verbosity {
        if self.quiet {
            Verbosity::Quiet
        } else if self.trace || self.verbose > 1 {
            Verbosity::Trace
        } else if self.debug || self.notice || self.verbose == 1 {
            Verbosity::Debug
        } else {
            Verbosity::Normal
        }
    }
}
