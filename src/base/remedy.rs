//! What can be done about an error.

/// The one thing that retry loops and exit codes read from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Transient: the same thing may work a moment later (lost connection, deadlock, restart).
    Retry,
    /// Someone must change something first: a parameter, a privilege, a disk, a row.
    AskOperator,
    /// The command line, environment or a configuration file is wrong.
    FixArguments,
    /// Not supposed to happen.
    Bug,
}
