//! The proxy's configuration: the file and what was typed.

use crate::cli::options::ProxyControl;
use crate::pg::address::Environment;
use crate::proxy::config::{Config, ConfigError, Given};

/// Reads it.
pub(super) fn load(control: &ProxyControl) -> Result<Config, ConfigError> {
    let given = Given {
        listen: Vec::new(),
        source: control.source.clone(),
        target: control.target.clone(),
        environment: Environment::of_process(),
    };
    Config::load(control.config.as_deref(), &given)
}
