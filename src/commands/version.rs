//! `pgflit version`.

use serde::Serialize;

use super::CommandError;
use crate::cli::ExitCode;
use crate::report::stdout;

#[derive(Serialize)]
struct Version {
    version: &'static str,
    rust: &'static str,
    target: String,
}

pub(super) fn run(json: bool) -> Result<ExitCode, CommandError> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        rust: env!("CARGO_PKG_RUST_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    };
    let text = match json {
        true => {
            serde_json::to_string(&version).map_err(|error| CommandError::stdout(error.into()))?
        }
        false => format!(
            "pgflit {}\nbuilt for {}, with Rust {} or later",
            version.version, version.target, version.rust
        ),
    };
    stdout::write_line(&text).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}
