//! What users have put into tables of extensions.
//!
//! CREATE EXTENSION makes these tables and may put rows of its own there. What the extension says
//! is the user's replaces what of that kind is there: all tables in one transaction of the target.

pub mod requirements;

use std::sync::atomic::AtomicU64;

use crate::base::ident::{quote_ident, quote_literal};
use crate::base::{QualifiedName, Remedy};
use crate::catalog::extensions::ConfigRelation;
use crate::pg::{self, Address, Connection, Mode, PumpError, pump};

use super::epoch::import_sql;

/// Rows of extensions could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    /// Reading them.
    #[error("copying {table}, which belongs to an extension: reading from the source")]
    Source {
        /// Which.
        table: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Writing them.
    #[error("copying {table}, which belongs to an extension: writing to the target")]
    Target {
        /// Which.
        table: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// The transaction as a whole.
    #[error("copying tables of extensions to the target")]
    Transaction(#[source] pg::Error),
}

impl ExtensionError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ExtensionError::Source { source, .. }
            | ExtensionError::Target { source, .. }
            | ExtensionError::Transaction(source) => source.remedy(),
        }
    }
}

/// Copies `relations`, in this order, and runs `note` with them, in one transaction of the target.
/// Reads under the snapshot `snapshot_id`; without one, what is there now.
pub async fn copy_config(
    source: &Address,
    target: &Address,
    snapshot_id: Option<&str>,
    relations: &[ConfigRelation],
    note: &str,
) -> Result<(), ExtensionError> {
    let failed = ExtensionError::Transaction;
    let begin = match snapshot_id {
        Some(id) => import_sql(id),
        None => "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ".to_owned(),
    };
    let first = relations.first().map(|relation| relation.name.clone());
    let no_source = |source| match first.clone() {
        Some(table) => ExtensionError::Source { table, source },
        None => ExtensionError::Transaction(source),
    };
    let mut source = Connection::open(source, Mode::Sql, "extensions")
        .await
        .map_err(no_source)?;
    source.query(&begin).await.map_err(no_source)?;
    let mut target = Connection::open(target, Mode::Sql, "extensions")
        .await
        .map_err(failed)?;
    // Not permitted to everyone; the order of the tables does for most.
    if let Err(error) = target.query("SET session_replication_role = replica").await {
        tracing::debug!("session_replication_role: {error}");
    }
    target.query("BEGIN").await.map_err(failed)?;
    for relation in relations.iter().rev().filter(|it| !it.is_sequence) {
        let sql = format!(
            "DELETE FROM {} {}",
            relation.name.quoted(),
            relation.condition
        );
        let deleted = target.query(&sql).await;
        deleted.map_err(|source| ExtensionError::Target {
            table: relation.name.clone(),
            source,
        })?;
    }
    for relation in relations {
        match relation.is_sequence {
            true => copy_sequence(&mut source, &mut target, &relation.name).await?,
            false => copy_table(&mut source, &mut target, relation).await?,
        }
    }
    target.query(note).await.map_err(failed)?;
    // Separately: when we are killed meanwhile, nobody asks for the commit of what a resumed run
    // has not seen there.
    target.query("COMMIT").await.map_err(failed)?;
    Ok(())
}

async fn copy_sequence(
    source: &mut Connection,
    target: &mut Connection,
    name: &QualifiedName,
) -> Result<(), ExtensionError> {
    let sql = format!("SELECT last_value, is_called FROM {}", name.quoted());
    let state = source.query(&sql).await;
    let state = state.map_err(|source| ExtensionError::Source {
        table: name.clone(),
        source,
    })?;
    let value = |column| state.first().and_then(|answer| answer.value(column));
    let (Some(last), Some(is_called)) = (value("last_value"), value("is_called")) else {
        return Ok(());
    };
    let sql = format!(
        "SELECT pg_catalog.setval({}, {last}, '{is_called}')",
        quote_literal(&name.quoted())
    );
    let set = target.query(&sql).await;
    set.map(drop).map_err(|source| ExtensionError::Target {
        table: name.clone(),
        source,
    })
}

async fn copy_table(
    source: &mut Connection,
    target: &mut Connection,
    relation: &ConfigRelation,
) -> Result<(), ExtensionError> {
    let name = relation.name.quoted();
    let from_source = |source| ExtensionError::Source {
        table: relation.name.clone(),
        source,
    };
    let from_target = |source| ExtensionError::Target {
        table: relation.name.clone(),
        source,
    };
    let columns: Vec<_> = relation.columns.iter().map(|it| quote_ident(it)).collect();
    let columns = columns.join(", ");
    let read = format!(
        "COPY (SELECT {columns} FROM {name} {}) TO STDOUT",
        relation.condition
    );
    source.copy_out(&read).await.map_err(from_source)?;
    let write = format!("COPY {name} ({columns}) FROM STDIN");
    target.copy_in(&write).await.map_err(from_target)?;
    match pump(source, target, &AtomicU64::new(0), || true).await {
        Ok(_) => {}
        Err(PumpError::Source(error)) => return Err(from_source(error)),
        Err(PumpError::Target(error)) => return Err(from_target(error)),
    }
    source.end_copy_out().await.map_err(from_source)?;
    target.finish_copy().await.map_err(from_target)?;
    Ok(())
}
