//! `list tables`, `list sequences`, `list indexes`.

use super::scope::{Shape, connect, failed, select};
use crate::base::quantity::ByteSize;
use crate::catalog::listing::{self, Index, Sequence, Table};
use crate::cli::options::{ListScope, TableChoice, TableListing};
use crate::commands::CommandError;
use crate::report::listing::Column;

fn size(bytes: i64) -> String {
    ByteSize(bytes.max(0).cast_unsigned()).to_string()
}

pub(super) async fn tables(
    scope: &ListScope,
    listing: TableListing,
    shape: Shape,
) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let reasons = selection.reasons();
    let mut tables = listing::tables(&source).await.map_err(failed)?;
    for table in &mut tables {
        table.left_out = reasons.get(&table.oid).map(|reason| (*reason).to_owned());
    }
    tables.retain(|table| match listing {
        TableListing::Copied => table.left_out.is_none(),
        TableListing::Skipped => table.left_out.is_some(),
        TableListing::WithoutPrimaryKey => table.left_out.is_none() && !table.has_primary_key,
    });
    let rows = |table: &Table| match table.estimated_rows {
        Some(rows) => rows.to_string(),
        None => "unknown".to_owned(),
    };
    let mut columns = vec![
        Column::number("OID", |table: &Table| table.oid.to_string()),
        Column::text("Schema Name", |table| table.schema.clone()),
        Column::text("Table Name", |table| table.name.clone()),
        Column::number("Est. Row Count", rows),
        Column::number("On-disk size", |table| size(table.bytes)),
    ];
    if listing == TableListing::Skipped {
        columns.push(Column::text("Reason", |table| {
            table.left_out.clone().unwrap_or_default()
        }));
    }
    shape.print(&columns, &tables)
}

pub(super) async fn sequences(
    scope: &ListScope,
    list_skipped: bool,
    shape: Shape,
) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let mut sequences = listing::sequences(&source).await.map_err(failed)?;
    sequences.retain(|sequence| selection.makes(sequence.oid) != list_skipped);
    let columns = [
        Column::number("OID", |sequence: &Sequence| sequence.oid.to_string()),
        Column::text("Schema Name", |sequence| sequence.schema.clone()),
        Column::text("Sequence Name", |sequence| sequence.name.clone()),
        Column::text("Owned By", |sequence| {
            sequence.owned_by.clone().unwrap_or_default()
        }),
        Column::number("Last Value", |sequence| {
            let value = sequence.last_value;
            value.map(|value| value.to_string()).unwrap_or_default()
        }),
    ];
    shape.print(&columns, &sequences)
}

pub(super) async fn indexes(
    scope: &ListScope,
    table: &TableChoice,
    list_skipped: bool,
    shape: Shape,
) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let mut indexes = listing::indexes(&source).await.map_err(failed)?;
    indexes.retain(|index| selection.makes(index.oid) != list_skipped && is_of(index, table));
    let columns = [
        Column::number("OID", |index: &Index| index.oid.to_string()),
        Column::text("Schema", |index| index.schema.clone()),
        Column::text("Index Name", |index| index.name.clone()),
        Column::text("Table Name", |index| index.table.clone()),
        Column::number("On-disk size", |index| size(index.bytes)),
        Column::text("Constraint", |index| {
            index.constraint.clone().unwrap_or_default()
        }),
        Column::text("DDL", |index| index.definition.clone()),
    ];
    shape.print(&columns, &indexes)
}

fn is_of(index: &Index, choice: &TableChoice) -> bool {
    let is = |name: &Option<String>, of: &String| name.as_ref().is_none_or(|name| name == of);
    is(&choice.schema, &index.schema) && is(&choice.table, &index.table)
}
