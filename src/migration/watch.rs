//! Tables that appear, disappear or change their names on the source while it is followed.
//!
//! Change capture carries the tables that were there when it was set up. What became of others is
//! decided at endpos, see [`super::finish`]; here the operator is told at once, while there is time.
//! Nothing depends on it: a source that does not answer is receive's to report.

use std::collections::{HashMap, HashSet};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::cause::chain;
use crate::base::{QualifiedName, Shutdown};
use crate::catalog::discovery;
use crate::pg::{Address, Session};
use crate::store::{Store, WorkDir};

use super::error::{MigrationError, on_source, to_source};
use super::finish::{NewTables, left_out};

/// How often the names of the source's tables are read.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Where reading them takes long, it is done less often: the source is not there for us.
const SHARE: u32 = 50;

/// Looks until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to look, in a thread of its own.
    pub fn start(source: &Address, work_dir: &WorkDir, new_tables: NewTables) -> Self {
        let stop = Shutdown::default();
        let (asked, source, work_dir) = (stop.clone(), source.clone(), work_dir.clone());
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let watched = watch(&source, &work_dir, new_tables, &asked);
                if let Err(error) = watched {
                    tracing::warn!(
                        "new tables on the source are told at the end only: {}",
                        chain(&error)
                    );
                }
            });
        Self {
            stop,
            thread: thread.ok(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            // Its result is in the log.
            let _ = thread.join();
        }
    }
}

fn watch(
    source: &Address,
    work_dir: &WorkDir,
    new_tables: NewTables,
    stop: &Shutdown,
) -> Result<(), MigrationError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    let store = work_dir.open_store()?;
    let known = store.tables()?;
    let mut tables = Tables {
        carried: known
            .into_iter()
            .map(|table| (table.oid, table.name))
            .collect(),
        others: HashSet::new(),
    };
    runtime.block_on(async {
        tokio::select! {
            () = look_again_and_again(source, &store, new_tables, &mut tables) => {}
            () = stop.wait() => {}
        }
    });
    Ok(())
}

async fn look_again_and_again(
    source: &Address,
    store: &Store,
    new_tables: NewTables,
    tables: &mut Tables,
) {
    let mut session = None;
    loop {
        let begun = Instant::now();
        match look(&mut session, source, store, tables).await {
            Ok(news) => news.iter().for_each(|news| news.tell(new_tables)),
            Err(error) => {
                session = None;
                tracing::debug!("looking for new tables: {}", chain(&error));
            }
        }
        tokio::time::sleep(LOOK_AGAIN.max(begun.elapsed() * SHARE)).await;
    }
}

async fn look(
    session: &mut Option<Session>,
    address: &Address,
    store: &Store,
    tables: &mut Tables,
) -> Result<Vec<News>, MigrationError> {
    let source = match session {
        Some(session) => session,
        None => {
            let opened = Session::connect(address, "new tables").await;
            session.insert(opened.map_err(to_source(address))?)
        }
    };
    let now = discovery::table_names(source).await;
    let now = now.map_err(on_source("looking at its tables"))?;
    let unknown: Vec<u32> = tables.unknown(&now);
    if !unknown.is_empty() {
        // What the filters leave out is nobody's business.
        let left_out = left_out(source, store).await?;
        let others = unknown.into_iter().filter(|oid| left_out(*oid));
        tables.others.extend(others);
    }
    Ok(tables.news(now))
}

/// What is known of the source's tables, by OID.
#[derive(Debug, Default)]
struct Tables {
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
