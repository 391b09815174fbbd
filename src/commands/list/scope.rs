//! Where a listing looks, and how it is printed.

use serde::Serialize;

use crate::base::Side;
use crate::catalog::filters::{self, Filters, Selection, Strictness};
use crate::cli::ExitCode;
use crate::cli::options::ListScope;
use crate::commands::{CommandError, place};
use crate::pg::{Error, Session};
use crate::report::listing::{Column, table};

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Table,
    Json,
}

impl Shape {
    pub(super) const fn of(json: bool) -> Self {
        match json {
            true => Shape::Json,
            false => Shape::Table,
        }
    }

    /// `rows` in this shape.
    pub(super) fn print<T: Serialize>(
        self,
        columns: &[Column<T>],
        rows: &[T],
    ) -> Result<String, CommandError> {
        match self {
            Shape::Table => Ok(table(columns, rows)),
            Shape::Json => json(rows),
        }
    }
}

/// One line of JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, CommandError> {
    let text = serde_json::to_string(value);
    Ok(text.map_err(|error| CommandError::stdout(error.into()))? + "\n")
}

pub(super) fn failed(error: Error) -> CommandError {
    CommandError::of_server(ExitCode::Source, error)
}

/// A session with the source that can change nothing. Not one transaction: with many sequences
/// that would hold more locks than a server has room for.
pub(super) async fn connect(scope: &ListScope) -> Result<Session, CommandError> {
    let address = place::address(Side::Source, scope.source.as_deref())?;
    let session = Session::connect(&address, "list").await.map_err(failed)?;
    let read_only = "SET default_transaction_read_only = on";
    session.batch(read_only).await.map_err(failed)?;
    Ok(session)
}

/// What the filters of `scope` leave out.
pub(super) async fn select(source: &Session, scope: &ListScope) -> Result<Selection, CommandError> {
    let filters = place::filters(scope.filters.as_deref())?;
    resolve(source, &filters).await
}

pub(super) async fn resolve(
    source: &Session,
    filters: &Filters,
) -> Result<Selection, CommandError> {
    let selection = filters::resolve(source, filters, Strictness::Begin).await?;
    for notice in &selection.unmatched {
        tracing::warn!("{notice}");
    }
    Ok(selection)
}
