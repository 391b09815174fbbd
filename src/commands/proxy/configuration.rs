//! The proxy's configuration: the file and what was typed.

use crate::cli::ExitCode;
use crate::cli::options::{ProxyControl, ProxyRun};
use crate::commands::{CommandError, place};
use crate::pg::address::Environment;
use crate::proxy::config::{ConfigError, Given};
use crate::proxy::reload::Origin;

/// Where the configuration is that these options name.
pub(super) fn origin(control: &ProxyControl) -> Origin {
    Origin {
        path: control.config.clone(),
        given: Given {
            source: control.source.clone(),
            target: control.target.clone(),
            environment: Environment::of_process(),
            ..Given::default()
        },
        record: place::work_dir(&control.work_dir).authority_path(),
    }
}

/// The same of a proxy that is to run.
pub(super) fn origin_of_run(options: &ProxyRun) -> Origin {
    let mut origin = origin(&options.control);
    let given = &mut origin.given;
    given.listen.clone_from(&options.listen);
    given.reuse_port = options.reuse_port;
    let files = options.tls.as_ref();
    given.tls = files.map(|files| (files.certificate.clone(), files.key.clone()));
    let most = options.max_server_connections;
    // More than can be counted is as good as everything.
    given.max_server_connections = most.and_then(|most| u32::try_from(most.get()).ok());
    if given.source.is_none() && origin.path.is_none() {
        // libpq's variables name it, or the command would have been refused.
        given.source = Some(String::new());
    }
    origin
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let error = CommandError::new(ExitCode::Usage, error);
        error.with_hint("pgflit proxy check-config tells all that is wrong, a line each")
    }
}
