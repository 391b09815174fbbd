//! What is meant by one command line.

use std::path::PathBuf;

use super::options::{
    CheckOptions, CloneOptions, CompareOptions, CompareSubject, CopyStep, CutoverOptions,
    DemoOptions, DumpOptions, FinalizeOptions, ListCommand, PingOptions, ProxyCommand,
    ReportOptions, RestoreCommand, SentinelCommand, SnapshotOptions, StatusOptions, StreamCommand,
};

/// Everything one run of pgflit was told.
pub struct Invocation {
    /// What is logged, how and where to.
    pub logging: LogSettings,
    /// How results and progress are shown.
    pub output: OutputSettings,
    /// What to do.
    pub command: Command,
}

/// The lowest level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verbosity {
    /// Warnings and errors: `-q`.
    Quiet,
    /// The story of the run; the default.
    Normal,
    /// What is decided and why: `-v`, `--notice`, `--debug`.
    Debug,
    /// Each step: `-vv`, `--trace`.
    Trace,
}

/// What is logged, how and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The lowest level that is logged.
    pub verbosity: Verbosity,
    /// One JSON object a line instead of text.
    pub json: bool,
    /// A file that gets the same lines, appended.
    pub file: Option<PathBuf>,
    /// How times are written, in strftime's words; none for date and time to the second.
    pub time_format: Option<String>,
    /// Whether lines for a terminal are coloured.
    pub color: ColorChoice,
}

/// How results and progress are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSettings {
    /// Results on stdout as JSON.
    pub json: bool,
    /// Whether a terminal gets colours.
    pub color: ColorChoice,
    /// How progress is shown on stderr.
    pub progress: ProgressStyle,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always, even into a pipe
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a terminal or, if not `is_terminal`, to a pipe or file.
    pub const fn on(self, is_terminal: bool) -> bool {
        match self {
            ColorChoice::Auto => is_terminal,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum ProgressStyle {
    /// Bars on a terminal, plain lines elsewhere
    Auto,
    /// Bars that redraw themselves
    Bar,
    /// One line at a sensible interval
    Plain,
    /// One JSON object at a sensible interval
    Json,
    /// Nothing
    Off,
}

/// What to do.
///
/// Connection strings in the options are as they were typed and may hold passwords, so none of
/// these types can be printed with `Debug`.
pub enum Command {
    /// The whole base copy, with change capture if asked for.
    Clone(CloneOptions),
    /// Change capture alone.
    Follow(CloneOptions),
    /// Export a snapshot and hold it.
    Snapshot(SnapshotOptions),
    /// One step of clone alone.
    Copy {
        /// Which step.
        step: CopyStep,
        /// The same options as clone has.
        options: CloneOptions,
    },
    /// Dump definitions from the source.
    Dump(DumpOptions),
    /// Restore definitions into the target.
    Restore(RestoreCommand),
    /// Read-only listings.
    List(ListCommand),
    /// Prove source and target equal.
    Compare {
        /// What is compared.
        subject: CompareSubject,
        /// How.
        options: CompareOptions,
    },
    /// The streaming steps by hand.
    Stream(StreamCommand),
    /// Remote control of a follow.
    Sentinel(SentinelCommand),
    /// Connect to both servers and report.
    Ping(PingOptions),
    /// Preflight.
    Check(CheckOptions),
    /// Where everything stands.
    Status(StatusOptions),
    /// The HTML page.
    Report(ReportOptions),
    /// The traffic proxy, and talking to a running one.
    Proxy(ProxyCommand),
    /// Move traffic to the target.
    Cutover(CutoverOptions),
    /// Move traffic back.
    Rollback(CutoverOptions),
    /// Drop what made going back possible.
    Finalize(FinalizeOptions),
    /// A whole migration between throw-away clusters.
    Demo(DemoOptions),
    /// Print a shell's completion script.
    Completions(Shell),
    /// Print the version.
    Version,
    /// Write `man/` and `completions/` under this folder; for developers.
    Generate(PathBuf),
}

/// A shell that pgflit has completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}
