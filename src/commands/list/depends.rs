//! `list depends`: what is left out along with what the filters name.

use serde::Serialize;

use super::scope::{Shape, connect, resolve, select};
use crate::catalog::filters::Filters;
use crate::cli::options::{ListScope, TableChoice};
use crate::commands::CommandError;
use crate::report::listing::Column;
use crate::store::LeftOut;

/// An object that is left out.
#[derive(Debug, Serialize)]
struct Dependent {
    catalog_oid: u32,
    oid: u32,
    kind: String,
    schema: Option<String>,
    name: String,
    reason: String,
}

impl From<&LeftOut> for Dependent {
    fn from(object: &LeftOut) -> Self {
        Self {
            catalog_oid: object.catalog_oid,
            oid: object.object_oid,
            kind: object.kind.clone(),
            schema: object.schema.clone(),
            name: object.name.clone(),
            reason: object.reason.clone(),
        }
    }
}

/// With a table or schema named: what would go with it. Else what goes with what the filters
/// name; `list_skipped` adds what they name themselves.
pub(super) async fn depends(
    scope: &ListScope,
    table: &TableChoice,
    list_skipped: bool,
    shape: Shape,
) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = match &table.schema {
        Some(schema) => {
            let filters = Filters::excluding(schema, table.table.as_deref());
            resolve(&source, &filters).await?
        }
        None => select(&source, scope).await?,
    };
    let left_out = selection.left_out().iter();
    let left_out = left_out.filter(|object| list_skipped || !selection.is_named(object));
    let dependents: Vec<_> = left_out.map(Dependent::from).collect();
    let columns = [
        Column::number("OID", |dependent: &Dependent| dependent.oid.to_string()),
        Column::text("Type", |dependent| dependent.kind.clone()),
        Column::text("Schema Name", |dependent| {
            dependent.schema.clone().unwrap_or_default()
        }),
        Column::text("Name", |dependent| dependent.name.clone()),
        Column::text("Reason", |dependent| dependent.reason.clone()),
    ];
    shape.print(&columns, &dependents)
}
