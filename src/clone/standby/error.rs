//! Why a standby cannot be read from.

use crate::base::Remedy;
use crate::pg::Error;

/// A standby cannot be read from.
#[derive(Debug, thiserror::Error)]
pub enum StandbyError {
    /// It was not reached.
    #[error("connecting to the standby {address}")]
    Connect {
        /// Where; without a password.
        address: String,
        /// Why.
        #[source]
        source: Error,
    },
    /// It failed.
    #[error("{doing} on the standby {address}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Which.
        address: String,
        /// Why.
        #[source]
        source: Error,
    },
    /// It is no use.
    #[error("the standby {address} {problem}")]
    Refused {
        /// Which.
        address: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
}

impl StandbyError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            StandbyError::Connect { source, .. } | StandbyError::Failed { source, .. } => {
                source.remedy()
            }
            StandbyError::Refused { .. } => Remedy::AskOperator,
        }
    }

    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            StandbyError::Connect { source, .. } | StandbyError::Failed { source, .. } => {
                source.hint()
            }
            StandbyError::Refused { hint, .. } => Some(hint.clone()),
        }
    }

    /// What the server said, if that was it.
    pub fn server_error(&self) -> Option<&Error> {
        match self {
            StandbyError::Connect { source, .. } | StandbyError::Failed { source, .. } => {
                Some(source)
            }
            StandbyError::Refused { .. } => None,
        }
    }
}
