//! What the store tells of parts, brought in line with the ledger on the target.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::ledger::Ledger;
use crate::store::{PartProgress, TableRow, seconds_since_1970};

/// The parts that are on the target, as `known` tells of them; those that a killed run could not
/// tell of any more, as the ledger does, without a time.
pub(super) fn on_target_now<'a>(
    tables: impl Iterator<Item = &'a Arc<TableRow>>,
    ledger: &Ledger,
    known: Vec<PartProgress>,
) -> Vec<PartProgress> {
    let finished = known.into_iter().filter(|part| part.finished_at.is_some());
    let mut known: HashMap<_, _> = finished
        .map(|part| ((part.table_oid, part.part), part))
        .collect();
    let now = seconds_since_1970();
    let mut there = Vec::new();
    for table in tables {
        for part in ledger.parts_of(&table.name) {
            let told = known.remove(&(table.oid, part.number));
            let told = told.filter(|told| told.epoch == part.epoch);
            there.push(told.unwrap_or_else(|| PartProgress {
                table_oid: table.oid,
                part: part.number,
                epoch: part.epoch,
                begun_at: now,
                finished_at: Some(now),
                rows: part.rows,
                bytes: part.bytes,
            }));
        }
    }
    there
}
