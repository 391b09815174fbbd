//! Reading the configuration again under way.

use std::path::{Path, PathBuf};

use super::authority::Record;
use super::config::{Changes, Config, ConfigError, Given};
use super::service::Service;

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file; none if everything was typed.
    pub path: Option<PathBuf>,
    /// What was typed.
    pub given: Given,
    /// The file that says where traffic goes.
    pub record: PathBuf,
}

impl Origin {
    /// Reads it.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.path.as_deref(), &self.given)
    }
}

/// Whether other servers than before are those that traffic goes to.
fn agrees(service: &Service, record: &Path, read: &Config) -> Result<(), String> {
    if service.settings().config.databases == read.databases {
        return Ok(());
    }
    let agreed = Record::read(record).and_then(|known| known.side(record, read.has_any_target()));
    agreed
        .map(drop)
        .map_err(|error| crate::base::cause::chain(&error))
}

/// Reads the configuration again and puts it in force for clients that connect from now on, but for
/// what needs a restart. What is wrong is refused as a whole, and what is in force stays.
///
/// # Errors
/// Everything that is wrong, a line each; it is in the log.
pub fn reload(service: &Service, origin: &Origin) -> Result<Changes, String> {
    let read = origin.load().map_err(|error| match error.problems() {
        [] => crate::base::cause::chain(&error),
        problems => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    });
    let changes = read.and_then(|config| {
        agrees(service, &origin.record, &config)?;
        let reloaded = service.reload(config);
        reloaded.map_err(|error| error.to_string())
    });
    match &changes {
        Ok(changes) if changes.is_empty() => {
            tracing::info!("the configuration was read again: nothing is different");
        }
        Ok(changes) => {
            for change in &changes.now {
                tracing::info!("reloaded: {change}");
            }
            for change in &changes.after_restart {
                tracing::warn!("not before a restart: {change}");
            }
        }
        Err(problems) => {
            tracing::error!(
                "the configuration is not reloaded, what is in force stays: {problems}"
            );
        }
    }
    changes
}
