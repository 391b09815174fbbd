//! What is wrong with a file of filters.

use std::io;
use std::path::PathBuf;

use crate::base::Remedy;
use crate::pg;

/// Filters cannot be used. Nothing has been changed anywhere.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// The file cannot be read.
    #[error("reading the filters in {}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line of it.
    #[error("{file}, line {line}: {problem}")]
    Line {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A table that the filters keep cannot be made without something that they leave out.
    #[error("{file}: {kept} needs {lost}, which the filters leave out")]
    Needed {
        /// Which file.
        file: String,
        /// What is kept.
        kept: String,
        /// What it needs.
        lost: String,
    },
    /// The source could not say what the filters mean.
    #[error("looking up what the filters mean on the source")]
    Source(#[from] pg::Error),
}

impl FilterError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            FilterError::Source(error) => error.remedy(),
            _ => Remedy::FixArguments,
        }
    }

    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            FilterError::Unreadable { .. } => Some("name another with --filters".to_owned()),
            FilterError::Line { .. } => None,
            FilterError::Needed { .. } => {
                Some("leave it out as well, or keep what it needs".to_owned())
            }
            FilterError::Source(error) => error.hint(),
        }
    }
}
