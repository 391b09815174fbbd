//! `list table-parts`: in which parts one table would be copied.

use serde::Serialize;

use super::scope::{Shape, connect, failed};
use crate::base::QualifiedName;
use crate::base::quantity::ByteSize;
use crate::catalog::discovery;
use crate::catalog::parts;
use crate::cli::options::{ListScope, SplitSettings, TableChoice};
use crate::commands::{CommandError, choices};
use crate::report::listing::Column;
use crate::store::PartRow;

/// There is no such table.
#[derive(Debug, thiserror::Error)]
#[error("the source has no table {0} with rows to copy")]
struct NoTable(QualifiedName);

#[derive(Debug, Serialize)]
struct Part {
    schema: String,
    table: String,
    part: u32,
    condition: Option<String>,
    bytes: u64,
}

pub(super) async fn table_parts(
    scope: &ListScope,
    table: &TableChoice,
    split: &SplitSettings,
    shape: Shape,
) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let name = QualifiedName::new(name(&table.schema), name(&table.table));
    let mut tables = discovery::tables(&source, choices::sizes(split))
        .await
        .map_err(failed)?;
    tables.retain(|table| table.name == name);
    let Some(table) = tables.first() else {
        return Err(CommandError::usage(NoTable(name)).with_hint("pgflit list tables lists them"));
    };
    let planned: Vec<PartRow> = match choices::cutting(split) {
        Some(cutting) => parts::plan(&source, &tables, cutting)
            .await
            .map_err(failed)?,
        None => Vec::new(),
    };
    let part = |number, condition, bytes| Part {
        schema: name.schema.clone(),
        table: name.name.clone(),
        part: number,
        condition,
        bytes,
    };
    let mut shown: Vec<_> = planned
        .into_iter()
        .map(|planned| part(planned.number, Some(planned.condition), planned.bytes))
        .collect();
    if shown.is_empty() {
        shown.push(part(0, None, table.bytes));
    }
    let columns = [
        Column::text("Schema Name", |part: &Part| part.schema.clone()),
        Column::text("Table Name", |part| part.table.clone()),
        Column::number("Part", |part| part.part.to_string()),
        Column::number("Est. size", |part| ByteSize(part.bytes).to_string()),
        Column::text("Condition", |part| {
            part.condition
                .clone()
                .unwrap_or_else(|| "all of it".to_owned())
        }),
    ];
    shape.print(&columns, &shown)
}
