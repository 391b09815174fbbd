//! Roles of the instance, by pg_dumpall.
//!
//! - [`script`]: what pg_dumpall writes, as statements that can be told apart;
//! - this page: which of them are run on the target, and what becomes of those that fail.
//!
//! Roles that the target has are kept as they are. All that is made is made in one transaction, so
//! what an interrupted run has made is complete, and a later one keeps it.

pub mod script;

use std::collections::HashSet;
use std::path::Path;

use crate::base::ident::quote_literal;
use crate::base::{Remedy, Shutdown};
use crate::pg::{self, Address, Session};

use super::programs::Programs;
use super::schema::{self, SchemaError};
use script::Statement;

/// Roles could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// pg_dumpall.
    #[error(transparent)]
    Dump(#[from] SchemaError),
    /// The file that people read.
    #[error("writing {}", path.display())]
    Io {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The target failed.
    #[error("making roles on the target")]
    Target(#[source] pg::Error),
    /// It refused statements for other reasons than missing rights; none was kept.
    #[error("{failed} statements about roles failed on the target; the first, {statement}")]
    Refused {
        /// How many.
        failed: usize,
        /// The first, without a password.
        statement: String,
        /// Why.
        #[source]
        source: pg::Error,
    },
}

impl RolesError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            RolesError::Target(source) => source.remedy(),
            RolesError::Dump(_) | RolesError::Io { .. } | RolesError::Refused { .. } => {
                Remedy::AskOperator
            }
        }
    }
}

/// Whether passwords are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwords {
    /// As the hashes that the source keeps.
    Copied,
    /// Not: the new roles have none.
    LeftOut,
}

/// What became of the roles.
#[derive(Debug, Default)]
pub struct Copied {
    /// Roles made.
    pub made: usize,
    /// Roles that the target had.
    pub kept: Vec<String>,
    /// What the role that runs this may not do: the statement, and what the target says.
    pub left_out: Vec<(String, String)>,
}

/// Has pg_dumpall write the roles of the source; a copy without passwords goes to `file`.
pub fn dump(
    programs: &Programs,
    source: &Address,
    passwords: Passwords,
    file: &Path,
    shutdown: &Shutdown,
) -> Result<Vec<Statement>, RolesError> {
    // A name may look like a connection string to pg_dumpall, so it gets one.
    let dbname = source.dbname().replace('\\', "\\\\").replace('\'', "\\'");
    let mut arguments = vec![
        "--roles-only".to_owned(),
        "--encoding=UTF8".to_owned(),
        format!("--database=dbname='{dbname}'"),
    ];
    if passwords == Passwords::LeftOut {
        arguments.push("--no-role-passwords".to_owned());
    }
    let script = schema::dump_all(programs, source, &arguments, shutdown)?;
    std::fs::write(file, script::without_passwords(&script)).map_err(|source| RolesError::Io {
        path: file.to_owned(),
        source,
    })?;
    Ok(script::statements(&script))
}

/// Makes on the target what it has not, in one transaction.
pub async fn restore(target: &Session, statements: &[Statement]) -> Result<Copied, RolesError> {
    let failed = RolesError::Target;
    target.batch("BEGIN").await.map_err(failed)?;
    let restored = restore_all(target, statements).await;
    let end = match restored {
        Ok(_) => "COMMIT",
        Err(_) => "ROLLBACK",
    };
    // What failed first says more than a failed ROLLBACK would.
    let ended = target.batch(end).await.map_err(failed);
    let copied = restored?;
    ended.map(|()| copied)
}

async fn restore_all(target: &Session, statements: &[Statement]) -> Result<Copied, RolesError> {
    let rows = target.query("SELECT rolname::text FROM pg_roles", &[]);
    let rows = rows.await.map_err(RolesError::Target)?;
    let there: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut copied = Copied::default();
    let mut refused = Vec::new();
    for statement in statements {
        match statement {
            Statement::Create { role, .. } if there.contains(role) => {
                copied.kept.push(role.clone())
            }
            Statement::Create { .. } => copied.made += 1,
            _ => {}
        }
        for attempts in attempts(statement, &there, target.server_version().major()) {
            match run_first_that_works(target, &attempts).await? {
                None => {}
                Some(error) if may_be_left_out(statement, &error) => copied
                    .left_out
                    .push((script::without_passwords(&attempts[0]), error.to_string())),
                Some(error) => {
                    let statement = script::without_passwords(&attempts[0]);
                    tracing::error!("{statement}: {error}");
                    refused.push((statement, error));
                }
            }
        }
    }
    let count = refused.len();
    match refused.into_iter().next() {
        None => Ok(copied),
        Some((statement, source)) => Err(RolesError::Refused {
            failed: count,
            statement,
            source,
        }),
    }
}

/// The statements to run for `statement`, each with what to try instead when it is refused.
fn attempts(statement: &Statement, there: &HashSet<String>, target_major: u32) -> Vec<Vec<String>> {
    match statement {
        Statement::Create { role, .. }
        | Statement::Attributes { role, .. }
        | Statement::Of { role, .. }
            if there.contains(role) =>
        {
            Vec::new()
        }
        Statement::Create { sql, .. } | Statement::Of { sql, .. } | Statement::Other { sql } => {
            vec![vec![sql.clone()]]
        }
        // One at a time: what may not be given does not take the others with it.
        Statement::Attributes { role, attributes } => {
            let role = crate::base::ident::quote_ident(role);
            attributes
                .iter()
                .map(|attribute| vec![format!("ALTER ROLE {role} WITH {attribute}")])
                .collect()
        }
        Statement::Member {
            sql,
            options,
            granted_by,
            ..
        } => {
            // Before 16 there is no other option.
            let options: Vec<_> = options
                .iter()
                .filter(|option| target_major >= 16 || option.starts_with("ADMIN"))
                .filter(|option| target_major >= 16 || !option.ends_with("FALSE"))
                .map(|option| match target_major {
                    16.. => option.as_str(),
                    _ => "ADMIN OPTION",
                })
                .collect();
            let with = match options.is_empty() {
                true => String::new(),
                false => format!(" WITH {}", options.join(", ")),
            };
            let mut attempts = vec![format!("{sql}{with}{granted_by}")];
            if !granted_by.is_empty() {
                attempts.push(format!("{sql}{with}"));
            }
            vec![attempts]
        }
    }
}

/// Runs `attempts` until one works; the error of the first if none does.
async fn run_first_that_works(
    target: &Session,
    attempts: &[String],
) -> Result<Option<pg::Error>, RolesError> {
    let mut first_error = None;
    for sql in attempts {
        let run = target
            .batch(&format!("SAVEPOINT role; {sql}; RELEASE role"))
            .await;
        match run {
            Ok(()) => return Ok(None),
            Err(error) if error.sqlstate().is_none() => return Err(RolesError::Target(error)),
            Err(error) => {
                let back = target.batch("ROLLBACK TO role; RELEASE role").await;
                back.map_err(RolesError::Target)?;
                first_error.get_or_insert(error);
            }
        }
    }
    Ok(first_error)
}

/// Rights that are not ours to give, and predefined roles that the target does not know, are told
/// and left out; anything else is an error.
fn may_be_left_out(statement: &Statement, error: &pg::Error) -> bool {
    match error.sqlstate() {
        Some("42501") => !matches!(statement, Statement::Create { .. }),
        Some("42704") => {
            matches!(statement, Statement::Member { role, .. } if role.starts_with("pg_"))
        }
        _ => false,
    }
}

/// What an administrator may be asked for: whether `role` may read what passwords are kept in.
pub async fn may_read_passwords(source: &Session) -> Result<bool, pg::Error> {
    let sql = format!(
        "SELECT has_table_privilege({}, 'SELECT')",
        quote_literal("pg_catalog.pg_authid")
    );
    Ok(source.query_one(&sql, &[]).await?.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(options: &[&str]) -> Statement {
        Statement::Member {
            role: "a".into(),
            sql: "GRANT a TO b".into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            granted_by: " GRANTED BY c".into(),
        }
    }

    #[test]
    fn a_membership_is_tried_without_its_grantor_and_without_what_the_target_does_not_know() {
        let none = HashSet::new();
        let statement = member(&["ADMIN OPTION", "INHERIT FALSE"]);
        assert_eq!(
            attempts(&statement, &none, 16),
            [[
                "GRANT a TO b WITH ADMIN OPTION, INHERIT FALSE GRANTED BY c",
                "GRANT a TO b WITH ADMIN OPTION, INHERIT FALSE"
            ]]
        );
        assert_eq!(
            attempts(&statement, &none, 15)[0][1],
            "GRANT a TO b WITH ADMIN OPTION"
        );
        assert_eq!(
            attempts(&member(&["ADMIN FALSE", "SET FALSE"]), &none, 15)[0][1],
            "GRANT a TO b"
        );
    }

    #[test]
    fn a_role_that_is_there_is_kept_as_it_is() {
        let there = HashSet::from(["ann".to_owned()]);
        let statement = |role: &str| Statement::Attributes {
            role: role.into(),
            attributes: vec!["LOGIN".into(), "SUPERUSER".into()],
        };
        assert!(attempts(&statement("ann"), &there, 15).is_empty());
        assert_eq!(
            attempts(&statement("O\"x"), &there, 15),
            [
                ["ALTER ROLE \"O\"\"x\" WITH LOGIN"],
                ["ALTER ROLE \"O\"\"x\" WITH SUPERUSER"]
            ]
        );
    }
}
