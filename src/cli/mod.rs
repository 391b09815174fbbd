//! What the user types, and what is meant by it.
//!
//! [`parse()`] turns the arguments, the environment and the configuration file into an
//! [`Invocation`]: plain values that know nothing of clap. Three steps, one folder or file each:
//!
//! 1. `arguments`: the clap definition, which is also the help, `man/` and `completions/`;
//! 2. [`settings`]: an option beats the environment, which beats the configuration file;
//! 3. [`options`]: the values a command reads. Flags that describe one thing are one enum there.
//!
//! Left to others: what a connection string says (`pg`), what a filter file says (`catalog`), and
//! doing anything. Invariant: no text that leaves this folder shows a password (see
//! [`redaction`]). Nothing is written to disk but by [`generate`], a developer's command.

mod arguments;
pub mod config_file;
pub mod environment;
pub mod error;
pub mod exit;
pub mod generate;
pub mod invocation;
pub mod options;
mod parse;
pub mod redaction;
pub mod settings;

pub use environment::Environment;
pub use error::UsageError;
pub use exit::ExitCode;
pub use invocation::{Command, Invocation};
pub use parse::{Parsed, parse};
