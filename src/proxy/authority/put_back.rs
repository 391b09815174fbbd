//! What a fence has changed, and how it is put back: by whoever moves traffic, or by a proxy that has
//! found out that an attempt was aborted. Fences are put up by whoever moves traffic.
//!
//! The table `pgflit.fence` has a row for each, `changed` is JSON.

use serde::{Deserialize, Serialize};

use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{Error, Session};

/// What a fence has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changed {
    /// Roles that had CONNECT on the database; an empty name is PUBLIC.
    pub connect: Vec<String>,
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
            let role = grantee(role);
            statements.push(format!("GRANT CONNECT ON DATABASE {database} TO {role};"));
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

/// Whether a fence is up.
///
/// # Errors
/// The server refuses.
pub async fn is_up(session: &Session) -> Result<bool, Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.fence') IS NOT NULL";
    if !session.query_one(is_there, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    let row = session
        .query_one("SELECT EXISTS (SELECT FROM pgflit.fence)", &[])
        .await?;
    Ok(row.get(0))
}

/// The statements that put back what fences have changed, that of the attempt `only` or all, and forget
/// them; empty if none is up. They are true for as long as nobody else puts it back.
///
/// # Errors
/// The server refuses, or what is noted is not understood.
pub async fn statements(session: &Session, only: Option<u64>) -> Result<String, PutBackError> {
    if !is_up(session).await? {
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
        let changed: Changed = serde_json::from_str(&text).map_err(|_| PutBackError::Odd)?;
        statements.extend(changed.statements(&database));
        statements.push(format!(
            "DELETE FROM pgflit.fence WHERE attempt = {attempt};"
        ));
    }
    Ok(statements.join(" "))
}

/// Puts back what the fence of the attempt `only` has changed, or all of them, if any are up.
///
/// # Errors
/// The server refuses; what is not put back stays noted.
pub async fn put_back(session: &Session, only: Option<u64>) -> Result<(), PutBackError> {
    // One at a time: whoever has read what is noted, and puts it back after somebody else has done so,
    // would make a hole in the fence of the next attempt.
    let alone = "BEGIN;
        SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pgflit.authority'))";
    let done = async {
        session.batch(alone).await?;
        let statements = statements(session, only).await?;
        session.batch(&format!("{statements} COMMIT")).await?;
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
            connect: vec![String::new(), "Odd \"one".to_owned()],
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
