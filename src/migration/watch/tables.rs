//! Tables that appear, disappear or change their names.
//!
//! Change capture carries the tables that were there when it was set up. What became of others is
//! decided at endpos, see [`crate::migration::finish`]; here the operator is told at once, while there
//! is time.

use std::collections::{HashMap, HashSet};

use crate::base::QualifiedName;
use crate::catalog::discovery;
use crate::migration::error::{MigrationError, on_source};
use crate::migration::finish::{NewTables, left_out};
use crate::pg::Session;
use crate::store::Store;

/// What is known of the source's tables, by OID.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Those that belong to the migration, new ones that were told included.
    carried: HashMap<u32, QualifiedName>,
    /// Those that do not.
    others: HashSet<u32>,
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    Created(QualifiedName),
    Dropped(QualifiedName),
    Renamed(QualifiedName, QualifiedName),
}

impl Tables {
    /// Those that the migration began with.
    pub(super) fn known(store: &Store) -> Result<Self, MigrationError> {
        let known = store.tables()?.into_iter();
        Ok(Self {
            carried: known.map(|table| (table.oid, table.name)).collect(),
            others: HashSet::new(),
        })
    }

    /// Looks, and tells what is new.
    pub(super) async fn look(
        &mut self,
        source: &Session,
        store: &Store,
        new_tables: NewTables,
    ) -> Result<(), MigrationError> {
        let now = discovery::table_names(source).await;
        let now = now.map_err(on_source("looking at its tables"))?;
        let unknown: Vec<u32> = self.unknown(&now);
        if !unknown.is_empty() {
            // What the filters leave out is nobody's business.
            let left_out = left_out(source, store).await?;
            let others = unknown.into_iter().filter(|oid| left_out(*oid));
            self.others.extend(others);
        }
        for news in self.news(now) {
            news.tell(new_tables);
        }
        Ok(())
    }

    fn unknown(&self, now: &HashMap<u32, QualifiedName>) -> Vec<u32> {
        let is_known = |oid| self.carried.contains_key(oid) || self.others.contains(oid);
        now.keys().filter(|oid| !is_known(oid)).copied().collect()
    }

    /// What is new since the last look, which this look now is. By name, so that a log reads well.
    fn news(&mut self, mut now: HashMap<u32, QualifiedName>) -> Vec<News> {
        now.retain(|oid, _| !self.others.contains(oid));
        let (mut created, mut renamed) = (Vec::new(), Vec::new());
        for (oid, name) in &now {
            match self.carried.get(oid) {
                None => created.push(name.clone()),
                Some(before) if before != name => renamed.push((before.clone(), name.clone())),
                Some(_) => {}
            }
        }
        let gone = self
            .carried
            .iter()
            .filter(|(oid, _)| !now.contains_key(oid));
        let mut dropped: Vec<_> = gone.map(|(_, name)| name.clone()).collect();
        dropped.sort();
        renamed.sort();
        created.sort();
        self.carried = now;
        let renamed = renamed
            .into_iter()
            .map(|(from, to)| News::Renamed(from, to));
        dropped
            .into_iter()
            .map(News::Dropped)
            .chain(renamed)
            .chain(created.into_iter().map(News::Created))
            .collect()
    }
}

impl News {
    fn tell(&self, new_tables: NewTables) {
        match (self, new_tables) {
            (News::Created(table), NewTables::Stop) => tracing::warn!(
                "{table} was created on the source: it is not on the target, and the migration will not end with it; --new-tables warn leaves it out"
            ),
            (News::Created(table), NewTables::Warn) => tracing::warn!(
                "{table} was created on the source: it is left out, as --new-tables warn says"
            ),
            (News::Dropped(table), _) => {
                tracing::warn!("{table} was dropped on the source: it stays on the target");
            }
            (News::Renamed(from, to), _) => tracing::warn!(
                "{from} was renamed to {to} on the source: its changes come under the new name"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tables: &[(u32, &str)]) -> HashMap<u32, QualifiedName> {
        let name = |name: &str| QualifiedName::new("public", name);
        tables
            .iter()
            .map(|(oid, text)| (*oid, name(text)))
            .collect()
    }

    #[test]
    fn every_news_is_told_once_and_none_of_what_is_left_out() {
        let name = |name: &str| QualifiedName::new("public", name);
        let mut tables = Tables {
            carried: names(&[(1, "a"), (2, "b"), (3, "c")]),
            others: HashSet::from([9]),
        };
        let now = names(&[(1, "a"), (2, "bb"), (4, "d"), (9, "left_out")]);
        assert_eq!(tables.unknown(&now), [4]);
        assert_eq!(
            tables.news(now.clone()),
            [
                News::Dropped(name("c")),
                News::Renamed(name("b"), name("bb")),
                News::Created(name("d")),
            ]
        );
        assert!(tables.unknown(&now).is_empty());
        assert!(tables.news(now).is_empty());
        let without = names(&[(1, "a"), (2, "bb")]);
        assert_eq!(tables.news(without), [News::Dropped(name("d"))]);
    }
}
