//! The file of `--requirements`: which version of an extension to make.
//!
//! `[{"name": "postgis", "version": "3.3.2"}, …]`; other keys are passed over, so that what
//! `pgflit list extensions --available-versions --json` prints can be edited into one.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// An extension and its version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Requirement {
    /// The extension's name.
    pub name: String,
    /// The version to make.
    pub version: String,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RequirementsError {
    /// It cannot be read.
    #[error("reading the requirements {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("the requirements {}: {reason}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
}

/// Reads the file at `path`.
pub fn read(path: &Path) -> Result<Vec<Requirement>, RequirementsError> {
    let text = std::fs::read_to_string(path).map_err(|source| RequirementsError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|reason| RequirementsError::Malformed {
        path: path.to_owned(),
        reason,
    })
}

fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let requirements: Vec<Requirement> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (at, requirement) in requirements.iter().enumerate() {
        let name = &requirement.name;
        if requirements[..at].iter().any(|other| other.name == *name) {
            return Err(format!("extension {name} is there twice"));
        }
    }
    Ok(requirements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_and_versions_is_read_and_anything_else_is_told() {
        let text =
            r#"[{"name":"postgis","version":"3.3.2","more":1},{"name":"x-y","version":"1"}]"#;
        let read = parse(text).expect("read");
        assert_eq!(
            (read[0].name.as_str(), read[1].version.as_str()),
            ("postgis", "1")
        );
        assert!(
            parse(r#"[{"name":"a"}]"#)
                .expect_err("no version")
                .contains("version")
        );
        assert!(parse("{}").is_err());
        let twice = r#"[{"name":"a","version":"1"},{"name":"a","version":"2"}]"#;
        assert_eq!(parse(twice), Err("extension a is there twice".to_owned()));
    }
}
