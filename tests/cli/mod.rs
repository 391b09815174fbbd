//! The command line: everything parses, what is wrong is refused, generated files are in step.

mod bad_input;
mod drift;
mod logging;
mod proxy_config;
mod settings;
mod signals;
mod tree;

use assert_cmd::Command;

/// pgflit in an environment that holds nothing but a home.
fn pgflit() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgflit"));
    command.env_clear().env("HOME", "/nonexistent");
    command
}
