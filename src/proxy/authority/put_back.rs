//! What a fence has changed, and how it is put back: by whoever moves traffic, or by a proxy that has
//! found out that an attempt was aborted. Fences are put up by whoever moves traffic.
//!
//! The table `pgflit.fence` has a row for each; `changed` is JSON, or `left` of one that was taken away
//! after traffic had left for good.

use serde::{Deserialize, Serialize};

use super::schema;
use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{Error, Session};

/// Nothing is to be put back, and traffic has left all the same.
const LEFT: &str = "left";

/// What a fence has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changed {
    /// Roles that had CONNECT on the database; an empty name is PUBLIC.
    pub connect: Vec<String>,
    /// Those of them that could grant it.
    #[serde(default)]
    pub granted_it: Vec<String>,
    /// The quoted role that was let in, and could not connect before.
    #[serde(default)]
    pub let_in: Option<String>,
    /// Roles that could log in past that, and cannot now.
    pub no_login: Vec<String>,
    /// Whether sessions are read-only by default now.
    #[serde(default)]
    pub read_only: bool,
    /// What `default_transaction_read_only` of the database was set to; none if it was not.
    #[serde(default)]
    pub read_only_before: Option<String>,
}

/// It is not put back.
#[derive(Debug, thiserror::Error)]
pub enum PutBackError {
    /// The server refuses.
    #[error("putting back what the fence has changed")]
    Server(#[from] Error),
    /// What is noted is not ours.
    #[error("the table pgflit.fence does not say what to put back")]
    Odd,
}

impl Changed {
    /// The statements that put it back, for the database of this quoted name.
    fn statements(&self, database: &str) -> Vec<String> {
        let mut statements = Vec::new();
        for role in &self.connect {
            let option = match self.granted_it.contains(role) {
                true => " WITH GRANT OPTION",
                false => "",
            };
            let role = grantee(role);
            statements.push(format!(
                "GRANT CONNECT ON DATABASE {database} TO {role}{option};"
            ));
        }
        if let Some(role) = &self.let_in {
            statements.push(format!(
                "REVOKE CONNECT ON DATABASE {database} FROM {role};"
            ));
        }
        for role in &self.no_login {
            statements.push(format!("ALTER ROLE {} LOGIN;", quote_ident(role)));
        }
        if self.read_only {
            statements.push(match &self.read_only_before {
                Some(before) => format!(
                    "ALTER DATABASE {database} SET default_transaction_read_only = {};",
                    quote_literal(before)
                ),
                None => format!("ALTER DATABASE {database} RESET default_transaction_read_only;"),
            });
        }
        statements
    }
}

/// A role as GRANT and REVOKE take it; empty is PUBLIC.
pub fn grantee(role: &str) -> String {
    match role.is_empty() {
        true => "PUBLIC".to_owned(),
        false => quote_ident(role),
    }
}

/// Makes the table, if it is not there.
///
/// # Errors
/// The server refuses.
pub async fn prepare(session: &Session) -> Result<(), Error> {
    let create = "CREATE TABLE pgflit.fence (
             attempt bigint PRIMARY KEY,
             changed text NOT NULL,
             at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp())";
    schema::make(session, &[("fence", create)]).await
}

/// Whether a fence is up.
///
/// # Errors
/// The server refuses.
pub async fn is_up(session: &Session) -> Result<bool, Error> {
    if !is_noted(session).await? {
        return Ok(false);
    }
    let row = session
        .query_one(
            "SELECT EXISTS (SELECT FROM pgflit.fence WHERE changed <> $1)",
            &[&LEFT],
        )
        .await?;
    Ok(row.get(0))
}

/// Whether there may be one.
async fn is_noted(session: &Session) -> Result<bool, Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.fence') IS NOT NULL";
    Ok(session.query_one(is_there, &[]).await?.get(0))
}

/// The statements that put back what fences have changed, that of the attempt `only` or all, and forget
/// them; empty if none is up. They are true for as long as nobody else puts it back.
///
/// # Errors
/// The server refuses, or what is noted is not understood.
pub async fn statements(session: &Session, only: Option<u64>) -> Result<String, PutBackError> {
    if !is_noted(session).await? {
        return Ok(String::new());
    }
    let rows = session
        .query(
            "SELECT attempt, changed, pg_catalog.quote_ident(pg_catalog.current_database())
               FROM pgflit.fence WHERE attempt = coalesce($1, attempt) ORDER BY attempt DESC",
            &[&only.and_then(|attempt| i64::try_from(attempt).ok())],
        )
        .await?;
    let mut statements = Vec::new();
    for row in rows {
        let (attempt, text, database): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
        statements.extend(of_row(&text, &database)?);
        statements.push(format!(
            "DELETE FROM pgflit.fence WHERE attempt = {attempt};"
        ));
    }
    Ok(statements.join(" "))
}

/// What puts back what a row says.
fn of_row(changed: &str, database: &str) -> Result<Vec<String>, PutBackError> {
    if changed == LEFT {
        return Ok(Vec::new());
    }
    let changed: Changed = serde_json::from_str(changed).map_err(|_| PutBackError::Odd)?;
    Ok(changed.statements(database))
}

/// Puts back what the fence of the attempt `only` has changed, or all of them, if any are up.
///
/// # Errors
/// The server refuses; what is not put back stays noted.
pub async fn put_back(session: &Session, only: Option<u64>) -> Result<(), PutBackError> {
    take_down(session, only, "").await
}

/// As [`put_back`] of all, of a side that traffic has left by `attempt` for good: that stays noted, for
/// those who cannot ask the other side.
///
/// # Errors
/// As [`put_back`].
pub async fn put_back_for_good(session: &Session, attempt: u64) -> Result<(), PutBackError> {
    prepare(session).await?;
    let note = format!("INSERT INTO pgflit.fence (attempt, changed) VALUES ({attempt}, '{LEFT}');");
    take_down(session, None, &note).await
}

async fn take_down(session: &Session, only: Option<u64>, also: &str) -> Result<(), PutBackError> {
    if !is_noted(session).await? {
        return Ok(());
    }
    let only = only.and_then(|attempt| i64::try_from(attempt).ok());
    // Whoever takes a row away puts back what it says, and nobody else: who has only read it would make a
    // hole in the fence of the next attempt.
    let done = async {
        session.batch("BEGIN").await?;
        let rows = session
            .query(
                "DELETE FROM pgflit.fence WHERE attempt = coalesce($1, attempt)
                 RETURNING changed, pg_catalog.quote_ident(pg_catalog.current_database())",
                &[&only],
            )
            .await?;
        let mut statements = Vec::new();
        for row in rows {
            statements.extend(of_row(row.get(0), row.get(1))?);
        }
        session
            .batch(&format!("{} {also} COMMIT", statements.join(" ")))
            .await?;
        Ok(())
    };
    let done = done.await;
    if done.is_err() {
        // The session may be used again.
        let _ = session.batch("ROLLBACK").await;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_was_changed_is_put_back() {
        let changed = Changed {
            connect: vec![String::new(), "Odd \"one".to_owned(), "boss".to_owned()],
            granted_it: vec!["boss".to_owned()],
            let_in: Some("\"me\"".to_owned()),
            no_login: vec!["root".to_owned()],
            read_only: true,
            read_only_before: None,
        };
        assert_eq!(
            changed.statements("shop"),
            [
                "GRANT CONNECT ON DATABASE shop TO PUBLIC;",
                "GRANT CONNECT ON DATABASE shop TO \"Odd \"\"one\";",
                "GRANT CONNECT ON DATABASE shop TO \"boss\" WITH GRANT OPTION;",
                "REVOKE CONNECT ON DATABASE shop FROM \"me\";",
                "ALTER ROLE \"root\" LOGIN;",
                "ALTER DATABASE shop RESET default_transaction_read_only;",
            ]
        );
        let before = Changed {
            read_only: true,
            read_only_before: Some("off".to_owned()),
            ..Changed::default()
        };
        assert_eq!(
            before.statements("shop"),
            ["ALTER DATABASE shop SET default_transaction_read_only = 'off';"]
        );
    }
}
