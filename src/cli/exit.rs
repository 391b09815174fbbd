//! The numbers a script reads.

use std::process;

/// How a pgflit process ends. The numbers are a contract: scripts and cron lines branch on them.
///
/// After [`Source`](ExitCode::Source), [`Target`](ExitCode::Target),
/// [`Stopped`](ExitCode::Stopped) or [`Other`](ExitCode::Other), the same command with `--resume`
/// goes on from where it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Done; also when `--resume` finds nothing left to do.
    Done = 0,
    /// The arguments, the environment, a filter or a configuration file is wrong.
    Usage = 1,
    /// A check said no: differences were found, or a cutover was aborted and undone.
    CheckFailed = 3,
    /// The source failed or refused.
    Source = 6,
    /// The target failed or refused.
    Target = 7,
    /// Another pgflit holds this work directory; for cron, nothing is wrong.
    Busy = 8,
    /// Stopped by a signal before the end.
    Stopped = 9,
    /// Anything else, a bug included.
    Other = 12,
    /// A transient failure of a child process, for its supervisor alone: EX_TEMPFAIL.
    Transient = 75,
}

impl ExitCode {
    /// Every code that a script can see, in the order of the numbers.
    pub const ALL: [ExitCode; 8] = [
        ExitCode::Done,
        ExitCode::Usage,
        ExitCode::CheckFailed,
        ExitCode::Source,
        ExitCode::Target,
        ExitCode::Busy,
        ExitCode::Stopped,
        ExitCode::Other,
    ];

    /// The number that the shell sees in `$?`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// What the number means, as the man page says it.
    pub const fn meaning(self) -> &'static str {
        match self {
            ExitCode::Done => "Done; also when --resume finds nothing left to do.",
            ExitCode::Usage => {
                "The arguments, the environment, a filter or a configuration file is wrong."
            }
            ExitCode::CheckFailed => {
                "A check said no: check or compare found something, or a cutover was aborted and undone."
            }
            ExitCode::Source => "The source failed or refused.",
            ExitCode::Target => "The target failed or refused.",
            ExitCode::Busy => {
                "Another pgflit holds this work directory and is still running; for cron, nothing is wrong."
            }
            ExitCode::Stopped => "Stopped by a signal before the end; run again with --resume.",
            ExitCode::Other => "Anything else, a bug included.",
            ExitCode::Transient => "Of a child process, for its supervisor: try again.",
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        process::ExitCode::from(code.number())
    }
}
