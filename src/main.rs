//! The pgflit command: parse, run, and end with the exit code.

use std::ffi::OsString;
use std::process;

use pgflit::base::shutdown;
use pgflit::cli::{self, Environment, ExitCode, Parsed, UsageError};
use pgflit::{commands, report};

fn main() -> process::ExitCode {
    // Where signals cannot be listened to, the command that wants to says so.
    let _ = shutdown::end_at_once();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let code = match cli::parse(&arguments, &Environment::of_process()) {
        Ok(Parsed::Run(invocation)) => commands::run(*invocation),
        Ok(Parsed::Show(text)) => show(&text),
        Err(error) => refuse(&error),
    };
    code.into()
}

fn show(text: &str) -> ExitCode {
    match report::stdout::write(text.as_bytes()) {
        Ok(()) => ExitCode::Done,
        Err(error) => {
            report::errors::print(&error, None);
            ExitCode::Other
        }
    }
}

fn refuse(error: &UsageError) -> ExitCode {
    match error {
        // clap has said it all already, with its own hint.
        UsageError::Arguments(text) => report::errors::print_text(&format!("{text}\n")),
        error => report::errors::print(error, error.hint()),
    }
    ExitCode::Usage
}
