//! Partitions of the source: what is kept of them, and whether they are at the end what they were.
//!
//! Changes name the partition that they are in on the source, and apply finds the table of the
//! target that has its rows by what the partition was when the migration began, see
//! [`crate::catalog::partitions`]. One that was detached, attached, or given other bounds since has
//! other rows below its root than on the target, and nothing in the stream says so.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::base::Side;
use crate::catalog::ledger;
use crate::catalog::partitions::{self, Placed};
use crate::pg::Session;
use crate::store::{Capture, Store};

use super::error::{MigrationError, on_source, on_target};

/// Keeps which tables are partitions, and of what. `source` is in no transaction.
pub(super) async fn keep(source: &Session, store: &mut Store) -> Result<(), MigrationError> {
    let partitions = partitions::partitions(source).await;
    store.set_partitions(&partitions.map_err(on_source("reading its partitions"))?)?;
    Ok(())
}

/// Where the rows of partitions are on the target, by their names on the source; others are where
/// they are there.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<QualifiedName, Placed>);

impl Places {
    pub(super) async fn on(target: &Session, store: &Store) -> Result<Self, MigrationError> {
        let places = partitions::places(target, &store.partitions()?).await;
        places
            .map(Self)
            .map_err(on_target("looking at its partitions"))
    }

    /// The table that has the rows of `table` among others, if one has.
    pub(super) fn shared(&self, table: &QualifiedName) -> Option<&QualifiedName> {
        let placed = self.0.get(table).filter(|placed| placed.is_shared);
        placed.map(|placed| &placed.table)
    }

    /// The table that has the rows of `table`.
    pub(super) fn of<'a>(&'a self, table: &'a QualifiedName) -> &'a QualifiedName {
        self.0.get(table).map_or(table, |placed| &placed.table)
    }
}

/// A captured table that is no longer part of what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Altered<'a> {
    table: &'a QualifiedName,
    before: Option<&'a str>,
    now: Option<&'a str>,
    /// None if the target does not have it.
    here: Option<Option<&'a str>>,
}

/// The tables of a database; of a partition, what it is part of.
type Tables = HashMap<QualifiedName, Option<String>>;

/// The first of `known` that is there `now` and not part of what it was `before`, unless it is
/// `here`, on the target, what it is now.
fn altered<'a>(
    mut known: impl Iterator<Item = &'a QualifiedName>,
    before: &'a HashMap<QualifiedName, String>,
    now: &'a Tables,
    here: &'a Tables,
) -> Option<Altered<'a>> {
    known.find_map(|table| {
        let found = Altered {
            table,
            before: before.get(table).map(String::as_str),
            now: now.get(table)?.as_deref(),
            here: here.get(table).map(Option::as_deref),
        };
        let is_altered = found.now != found.before && Some(found.now) != found.here;
        is_altered.then_some(found)
    })
}

impl Altered<'_> {
    fn problem(&self) -> String {
        let said = |shown: Option<&str>| match shown {
            None => "no partition".to_owned(),
            Some(shown) => format!("one of {shown}"),
        };
        let here = self.here.map_or("not there".to_owned(), said);
        format!(
            "{} was {} when the migration began, is {} on the source by now, and {here} on the target: the rows below its root may be others there",
            self.table,
            said(self.before),
            said(self.now)
        )
    }
}

/// What somebody says on the target who has looked.
const SEEN: &str = "partitions are others";

/// Whether each captured table that is still there is part of what it was, or the target altered
/// alike.
pub(super) async fn check(
    source: &Session,
    target: &Session,
    store: &Store,
) -> Result<(), MigrationError> {
    let failed = || on_target("looking at its partitions");
    let before = store.partitions()?.into_iter();
    let before = before.map(|it| (it.itself.table(), it.shown)).collect();
    let there = partitions::shown(source).await;
    let there = there.map_err(on_source("looking at its partitions"))?;
    let here = partitions::shown(target).await.map_err(failed())?;
    let known = store.tables()?;
    let captured = (known.iter()).filter(|table| table.capture != Capture::Nothing);
    let captured = captured.map(|table| &table.name);
    let Some(altered) = altered(captured, &before, &there, &here) else {
        return Ok(());
    };
    ledger::create(target).await.map_err(failed())?;
    if ledger::step_is_done(target, SEEN).await.map_err(failed())? {
        return Ok(());
    }
    Err(MigrationError::Refused {
        side: Some(Side::Target),
        problem: altered.problem(),
        hint: format!(
            "alter the target alike; or, once the rows are the same, say so there: {}; and go on \
             with --resume",
            ledger::note_step_sql(SEEN)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_altered_on_the_source_alone_is_named() {
        let name = |name: &str| QualifiedName::new("public", name);
        let tables = |entries: &[(&str, &str)]| -> Tables {
            let entries = entries.iter();
            let shown = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            entries.map(|(it, text)| (name(it), shown(text))).collect()
        };
        let known = ["same", "alike", "dropped", "detached", "gone", "attached"].map(name);
        let before = [
            ("same", "p 1"),
            ("alike", "p 2"),
            ("dropped", "p 3"),
            ("detached", "p 3"),
            ("gone", "p 3"),
        ];
        let before = before.map(|(table, text)| (name(table), text.to_owned()));
        let before = HashMap::from(before);
        let now = [("same", "p 1"), ("alike", "p 4"), ("detached", "")];
        let now = tables(&[&now[..], &[("gone", ""), ("attached", "p 5")]].concat());
        let here = [("alike", "p 4"), ("detached", "p 3"), ("attached", "")];
        let here = tables(&here);
        let found = |known: &[QualifiedName]| {
            altered(known.iter(), &before, &now, &here).map(|it| it.table.name.clone())
        };
        assert_eq!(found(&known[..3]), None);
        assert_eq!(found(&known[..4]).as_deref(), Some("detached"));
        assert_eq!(found(&known[4..]).as_deref(), Some("gone"));
        assert_eq!(found(&known[5..]).as_deref(), Some("attached"));
    }
}
