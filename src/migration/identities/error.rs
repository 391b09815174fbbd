//! How changing a replica identity fails.

use crate::base::{QualifiedName, Remedy};
use crate::pg;

/// SQLSTATE insufficient_privilege.
pub(super) const NOT_ALLOWED: &str = "42501";

/// The replica identity of a table cannot be changed. What was changed before is noted.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Others have it locked for longer than is waited for.
    #[error("the replica identity of {table} cannot be changed{}: it is locked by {holders}", more(*others))]
    Locked {
        /// Which table.
        table: QualifiedName,
        /// How many other tables wait too.
        others: usize,
        /// Who has it.
        holders: String,
    },
    /// The source refused.
    #[error("changing the replica identity of {table}")]
    Refused {
        /// Which table.
        table: QualifiedName,
        /// What was to be done.
        sql: String,
        /// Why.
        #[source]
        source: pg::Error,
    },
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(", nor that of {others} more"),
    }
}

impl IdentityError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            IdentityError::Locked { .. } => Remedy::AskOperator,
            IdentityError::Refused { source, .. } => source.remedy(),
        }
    }

    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            IdentityError::Locked { .. } => {
                "run the same command again once they have ended, or end them with \
                 pg_terminate_backend; a migration that was finished ends with --resume, or with \
                 pgflit stream cleanup"
                    .to_owned()
            }
            IdentityError::Refused { sql, source, .. }
                if source.sqlstate() == Some(NOT_ALLOWED) =>
            {
                format!(
                    "only the owner of a table may change it: have the owner run {sql}; then run the \
                     same command again"
                )
            }
            IdentityError::Refused { sql, .. } => format!(
                "mend the cause, or run it by hand ({sql}); then run the same command again"
            ),
        }
    }
}
