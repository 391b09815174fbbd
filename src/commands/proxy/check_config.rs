//! `pgflit proxy check-config`: what is wrong with a configuration, before it is in force.

use std::path::Path;

use serde::Serialize;

use super::configuration::origin;
use crate::cli::ExitCode;
use crate::cli::options::ProxyControl;
use crate::commands::CommandError;
use crate::proxy::config::{Config, ConfigError, Problem};
use crate::report::stdout;

/// What was found.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    valid: bool,
    problems: &'a [Problem],
}

/// Reads the configuration as `pgflit proxy` would, connects to nothing, and prints what is wrong.
/// Exit code 1 if anything is.
pub(super) fn check_config(control: &ProxyControl, json: bool) -> Result<ExitCode, CommandError> {
    let loaded = origin(control).load();
    let problems = match &loaded {
        Ok(_) => &[],
        Err(ConfigError::Wrong(problems)) => problems.as_slice(),
        Err(ConfigError::Unreadable { .. }) => {
            return loaded.map(|_| ExitCode::Usage).map_err(CommandError::usage);
        }
    };
    let verdict = Verdict {
        valid: problems.is_empty(),
        problems,
    };
    let text = match (json, &loaded) {
        (true, _) => {
            let text = serde_json::to_string(&verdict);
            text.map_err(|error| CommandError::stdout(error.into()))? + "\n"
        }
        (false, Ok(config)) => praise(control.config.as_deref(), config),
        (false, Err(_)) => problems.iter().map(|one| format!("{one}\n")).collect(),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(match verdict.valid {
        true => ExitCode::Done,
        false => ExitCode::Usage,
    })
}

fn praise(path: Option<&Path>, config: &Config) -> String {
    let path = path.unwrap_or(Path::new("the command line"));
    let listen: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
    let console = config.admin.iter().flat_map(|admin| &admin.listen);
    let console = console.map(|address| format!("; console at {address}"));
    let metrics = config.metrics.iter();
    let metrics = metrics.map(|address| format!("; metrics at {address}"));
    let others: String = console.chain(metrics).collect();
    format!(
        "{} is fine: {}, {}{}, {}; listens at {}{others}\n",
        path.display(),
        counted(config.databases.len(), "database"),
        counted(config.users.len(), "user"),
        match config.auth_query {
            Some(_) => " and those of the source",
            None => "",
        },
        counted(config.rules.len(), "rule"),
        listen.join(", ")
    )
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
