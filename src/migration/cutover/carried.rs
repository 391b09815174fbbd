//! Whether the stream could carry all that happened on the side that traffic leaves.
//!
//! Of tables without a replica identity it carries inserts alone. Whether they were updated or deleted
//! from is counted by the server, and sessions report it late: a second after what they did, some
//! servers when they have been idle for ten, at their end at the latest. So it is looked three times:
//! before anybody is held, while clients are held, and once more when the sessions that were moved have
//! ended, before the stream back writes there; what is found then has stayed behind, and is said.
//!
//! The stream back carries the updates of every table that the stream there has carried them of: where
//! the side that traffic goes to lacks the identity, it is given one when the stream is armed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::config::Config;
use super::error::CutoverError;
use super::leg::Leg;
use crate::base::cause::chain;
use crate::base::{QualifiedName, Remedy, Side};
use crate::migration::MigrationError;
use crate::migration::finish::{self, Carried};
use crate::pg::Session;
use crate::store::{Capture, Store};

/// How long it is looked for what sessions report that have been moved.
const LATE_MAX: Duration = Duration::from_secs(2);

/// How often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Tables that are named.
const NAMED_MAX: usize = 20;

/// Looks for all that the stream could not carry, while traffic flows.
///
/// # Errors
/// There is something, or a server refuses.
pub(super) async fn check(config: &Config, current: &Leg) -> Result<(), CutoverError> {
    let store = current.store()?;
    let carried = Carried {
        ends: config.ends(),
        store: &store,
        work_dir: &current.work_dir,
        has_copied: current.is_first(config),
        given_up: &given_up(config, &store)?,
    };
    let checked = finish::check_carried(&carried).await;
    checked.map_err(|error| missing(config, current, error))
}

/// Looks for what has happened since, as far as it was reported.
///
/// # Errors
/// As [`check`].
pub(super) async fn check_held(
    config: &Config,
    current: &Leg,
    from: &Session,
) -> Result<(), CutoverError> {
    let store = current.store()?;
    let counted = finish::check_counted(from, &store, &given_up(config, &store)?).await;
    counted.map_err(|error| missing(config, current, error))
}

/// Looks for what was reported after the decision; says what has stayed behind, one line each.
pub(super) async fn look_late(config: &Config, current: &Leg, from: &Session) -> Vec<String> {
    match try_to_look_late(config, current, from).await {
        Ok(left) => left,
        Err(error) => vec![format!(
            "whether updates have stayed behind on the {} is not known: {}",
            current.from,
            chain(&error)
        )],
    }
}

async fn try_to_look_late(
    config: &Config,
    current: &Leg,
    from: &Session,
) -> Result<Vec<String>, CutoverError> {
    let store = current.store()?;
    if !finish::has_inserts_only(&store.tables()?) {
        return Ok(Vec::new());
    }
    let mut given_up = given_up(config, &store)?;
    let mut left = Vec::new();
    let deadline = Instant::now() + LATE_MAX;
    while left.len() < NAMED_MAX {
        let table = match finish::check_counted(from, &store, &given_up).await {
            Ok(()) if Instant::now() >= deadline => break,
            Ok(()) => {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Err(MigrationError::Uncaptured { table, .. } | MigrationError::LostCount { table }) => {
                table
            }
            Err(error) => return Err(error.into()),
        };
        left.push(format!(
            "{table}, which has no replica identity on the {side}, was updated or deleted from there \
             just before traffic left, and that has stayed there; pgflit compare data names the rows",
            side = current.from
        ));
        given_up.push(table);
    }
    Ok(left)
}

/// The tables of which both the stream there and the way back are to carry updates.
///
/// # Errors
/// The store refuses.
pub(super) fn carried_there(current: &Leg) -> Result<HashSet<QualifiedName>, CutoverError> {
    let tables = current.store()?.tables()?.into_iter();
    let carried = tables.filter(|table| table.capture == Capture::Rows);
    Ok(carried.map(|table| table.name).collect())
}

/// What `--without-changes-of` names, as the stream knows it.
fn given_up(config: &Config, store: &Store) -> Result<Vec<QualifiedName>, CutoverError> {
    if config.given_up.is_empty() {
        return Ok(Vec::new());
    }
    let known = store.tables()?;
    let find = |text: &String| {
        let mut named = known.iter().map(|table| &table.name);
        let plain = |name: &QualifiedName| format!("{}.{}", name.schema, name.name);
        let found = named.find(|name| *text == name.to_string() || *text == plain(name));
        found.cloned().ok_or_else(|| {
            CutoverError::not_ready(
                format!("--without-changes-of {text}: the stream knows no such table"),
                "name it with its schema, as the message did that told of it",
            )
        })
    };
    config.given_up.iter().map(find).collect()
}

/// What stands against moving traffic where the other side is not what this one is.
fn missing(config: &Config, current: &Leg, error: MigrationError) -> CutoverError {
    if current.is_first(config) {
        return missing_at_first(error);
    }
    let (from, to) = (current.from, current.from.other());
    match error {
        MigrationError::Uncaptured { table, changes } => CutoverError::not_ready(
            format!(
                "{table} has no replica identity on the {from}, and {changes} updates or deletes were made \
                 there since traffic came: they are not on the {to}"
            ),
            by_hand(&table, from),
        ),
        MigrationError::LostCount { table } => CutoverError::not_ready(
            format!(
                "{table} has no replica identity on the {from}, which has lost count of its updates and \
                 deletes since traffic came"
            ),
            by_hand(&table, from),
        ),
        MigrationError::NewTable { table } => CutoverError::not_ready(
            format!("{table} was created on the {from} after traffic came: it is not on the {to}"),
            format!(
                "make it on the {to}, with its rows as they will be when traffic moves; or drop it"
            ),
        ),
        error if from == Side::Target => CutoverError::Carried(Box::new(error)),
        error if error.remedy() == Remedy::AskOperator => {
            CutoverError::not_ready(chain(&error), error.hint().unwrap_or_default())
        }
        error => error.into(),
    }
}

fn by_hand(table: &QualifiedName, from: Side) -> String {
    format!(
        "see which rows differ with pgflit compare data, bring them over by hand, and say \
         --without-changes-of {table}; what is not brought over stays on the {from}"
    )
}

fn missing_at_first(error: MigrationError) -> CutoverError {
    let hint = match &error {
        MigrationError::NewTable { .. } => Some(
            "make it on the target, with its rows as they will be when traffic moves, or drop it; or begin \
             anew with pgflit clone --follow --restart"
                .to_owned(),
        ),
        MigrationError::Uncaptured { table, .. } | MigrationError::LostCount { table } => {
            let hint = error.hint().unwrap_or_default();
            Some(format!(
                "{hint}; or bring over by hand what differs, and say --without-changes-of {table}"
            ))
        }
        _ if error.remedy() == Remedy::AskOperator => error.hint(),
        _ => return error.into(),
    };
    CutoverError::not_ready(chain(&error), hint.unwrap_or_default())
}
