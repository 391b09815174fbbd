//! PostgreSQL's own logical replication.

use std::time::Duration;

use crate::backlog::{Backlog, KEPT, PUBLICATION};
use crate::servers::DATABASE;
use crate::shared::Result;
use crate::shared::sql::sql;
use crate::watch::{Outcome, Started, watch};

/// Subscription and slot.
const NAME: &str = "subscription";

/// Applies the backlog; `with` are options of the subscription.
pub(crate) fn run(backlog: &Backlog, with: &str, limit: Duration) -> Result<Outcome> {
    let pair = &backlog.pair;
    pair.fresh_slot(NAME, KEPT)?;
    let comma = if with.is_empty() { "" } else { ", " };
    let create = format!(
        "CREATE SUBSCRIPTION {NAME} CONNECTION '{}' PUBLICATION {PUBLICATION}
           WITH (create_slot = false, copy_data = false, enabled = false{comma}{with})",
        pair.source.socket_uri(DATABASE)
    );
    sql(&pair.target, DATABASE, &create)?;
    let enable = format!("ALTER SUBSCRIPTION {NAME} ENABLE");
    let outcome = watch(backlog, limit, || {
        sql(&pair.target, DATABASE, &enable)?;
        Ok(Started::Workers)
    });
    for statement in [
        format!("ALTER SUBSCRIPTION {NAME} DISABLE"),
        format!("ALTER SUBSCRIPTION {NAME} SET (slot_name = NONE)"),
        format!("DROP SUBSCRIPTION {NAME}"),
    ] {
        sql(&pair.target, DATABASE, &statement)?;
    }
    pair.drop_slot(NAME)?;
    outcome
}
