//! From the words that were typed to an [`Invocation`].

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, Command, FromArgMatches};

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
    let keys = file_keys(&definition);
    let typed = definition
        .try_get_matches_from(arguments)
        .and_then(|matches| Typed::from_arg_matches(&matches));
    let typed = match typed {
        Ok(typed) => typed,
        Err(stop) => return shown_or_refused(&stop, environment),
    };
    let file = match typed.config() {
        Some(path) => ConfigFile::read(path, &keys)?,
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
            Err(UsageError::Arguments(redact(&with_our_hints(
                text.trim_end(),
            ))))
        }
    }
}

/// clap's text with its advice called what ours is called.
fn with_our_hints(text: &str) -> String {
    text.replace("tip:", "hint:").replace(
        "For more information, try",
        "hint: for more information, try",
    )
}

fn called_as(arguments: &[OsString]) -> CalledAs {
    let program = arguments.first().map(Path::new).and_then(Path::file_name);
    match program.is_some_and(|name| name == "pgcopydb") {
        true => CalledAs::Pgcopydb,
        false => CalledAs::Pgflit,
    }
}

/// The options that only make sense where they are typed.
const NOT_IN_A_FILE: [&str; 7] = [
    "config", "help", "verbose", "notice", "debug", "trace", "quiet",
];

/// The options of a cutover that a file may set as well as those of `clone`: where the proxy is, and the
/// thresholds.
const OF_CUTOVER: [&str; 8] = [
    "socket",
    "max-lag",
    "drain-limit",
    "max-pause",
    "on-timeout",
    "attempts",
    "fence",
    "no-reverse",
];

/// The keys that a configuration file may have. What one command is asked to do this time, such
/// as `--dry-run`, is not among them.
fn file_keys(root: &Command) -> Vec<String> {
    let shared = root.find_subcommand("clone").into_iter().chain([root]);
    let shared = shared
        .flat_map(Command::get_arguments)
        .filter_map(Arg::get_long);
    let typed_only = |name: &&str| !NOT_IN_A_FILE.contains(name);
    let keys = shared.filter(typed_only).chain(OF_CUTOVER);
    keys.map(str::to_owned).collect()
}
