//! From the words that were typed to an [`Invocation`].

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

use super::arguments::tree::{Typed, definition};
use super::config_file::ConfigFile;
use super::environment::Environment;
use super::error::UsageError;
use super::invocation::Invocation;
use super::redaction::redact;
use super::settings::{CalledAs, Settings};

/// What a command line asks for.
pub enum Parsed {
    /// Do this.
    Run(Box<Invocation>),
    /// Print this on stdout and be done: help, or a version.
    Show(String),
}

/// Reads `arguments`, the first of which is the program's name.
pub fn parse(arguments: &[OsString], environment: &Environment) -> Result<Parsed, UsageError> {
    let definition = definition();
    let options = long_options(&definition);
    let typed = definition
        .try_get_matches_from(arguments)
        .and_then(|matches| Typed::from_arg_matches(&matches));
    let typed = match typed {
        Ok(typed) => typed,
        Err(stop) => return shown_or_refused(&stop, environment),
    };
    let file = match typed.config() {
        Some(path) => ConfigFile::read(path, &options)?,
        None => ConfigFile::default(),
    };
    let settings = Settings {
        environment,
        file,
        called_as: called_as(arguments),
    };
    let invocation = typed.resolve(&settings)?;
    Ok(Parsed::Run(Box::new(invocation)))
}

/// clap stops for help and versions as it does for errors.
fn shown_or_refused(stop: &clap::Error, environment: &Environment) -> Result<Parsed, UsageError> {
    let plain = environment.get("NO_COLOR").is_some();
    let text = |is_terminal: bool| match is_terminal && !plain {
        true => stop.render().ansi().to_string(),
        false => stop.render().to_string(),
    };
    match stop.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Ok(Parsed::Show(text(std::io::stdout().is_terminal())))
        }
        _ => {
            let text = text(std::io::stderr().is_terminal());
            Err(UsageError::Arguments(redact(text.trim_end())))
        }
    }
}

fn called_as(arguments: &[OsString]) -> CalledAs {
    let program = arguments.first().map(Path::new).and_then(Path::file_name);
    match program.is_some_and(|name| name == "pgcopydb") {
        true => CalledAs::Pgcopydb,
        false => CalledAs::Pgflit,
    }
}

/// The long names of all options of all commands: the keys a configuration file may have.
fn long_options(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_long());
    let mut names: Vec<_> = own.map(str::to_owned).collect();
    names.extend(command.get_subcommands().flat_map(long_options));
    names
}
