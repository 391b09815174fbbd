//! The side of the copy that reads the source: what is there, and the snapshots it is read under.

use std::collections::HashMap;

use crate::base::Side;
use crate::base::durable_file;
use crate::base::snapshot::Snapshot;
use crate::base::{Shutdown, Visibility};
use crate::catalog::discovery;
use crate::catalog::ledger::Ledger;
use crate::catalog::sizes::Sizes;
use crate::clone::epoch::Epoch;
use crate::clone::programs::Programs;
use crate::pg::{Address, Session};
use crate::store::{Run, Store, TableRow, WorkDir};

use super::steps::{BaseCopy, Choices};
use crate::migration::error::{MigrationError, on_source};

/// A snapshot that somebody else has exported and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignSnapshot {
    /// Its id.
    pub id: String,
}

/// What is needed to read the source; nothing of the target is.
#[derive(Debug)]
pub struct SourceSide<'a> {
    /// The source.
    pub source: &'a Address,
    /// Where everything is kept.
    pub work_dir: &'a WorkDir,
    /// pg_dump and pg_restore.
    pub programs: &'a Programs,
    /// What it was begun with.
    pub run: &'a Run,
    /// How.
    pub choices: &'a Choices,
    /// A snapshot to read under; none to take one.
    pub snapshot: Option<&'a ForeignSnapshot>,
    /// Whether rows of several moments were asked for.
    pub several_moments: bool,
    /// The store.
    pub store: &'a mut Store,
    /// Whether to stop.
    pub shutdown: &'a Shutdown,
}

impl BaseCopy<'_> {
    pub(super) fn source_side(&mut self) -> SourceSide<'_> {
        let config = self.config;
        SourceSide {
            source: &config.source,
            work_dir: &config.work_dir,
            programs: &config.programs,
            run: &config.run,
            choices: &config.choices,
            snapshot: config.snapshot.as_ref(),
            several_moments: config.several_moments,
            store: &mut self.store,
            shutdown: self.shutdown,
        }
    }

    /// The first epoch of a run: under the snapshot that was named, if one was.
    pub(super) async fn open_epoch(&mut self, ledger: &Ledger) -> Result<Epoch, MigrationError> {
        self.source_side().open_epoch(ledger).await
    }

    /// An epoch for what the one before could not see any more.
    pub(super) async fn open_later_epoch(
        &mut self,
        ledger: &Ledger,
    ) -> Result<Epoch, MigrationError> {
        let later = SourceSide {
            snapshot: None,
            ..self.source_side()
        };
        later.open_epoch(ledger).await
    }
}

impl SourceSide<'_> {
    /// Dumps the definitions, and writes the lists of what a restore would make; gives how many
    /// entries they have.
    pub async fn dump(mut self) -> Result<usize, MigrationError> {
        self.read_catalog(&Ledger::default()).await?;
        let contents = self.wanted_contents()?;
        self.write_lists(&contents)?;
        Ok(contents.all().count())
    }

    pub(super) async fn open_epoch(&self, ledger: &Ledger) -> Result<Epoch, MigrationError> {
        let last = ledger.parts().map(|part| part.epoch).max().unwrap_or(0);
        let slot = self.slot_snapshot()?;
        let epoch = match self.snapshot {
            Some(given) => {
                Epoch::take_over(self.source, last + 1, &given.id, slot.as_ref()).await?
            }
            None => Epoch::open(self.source, last + 1, slot.as_ref()).await?,
        };
        self.check_moment(&epoch, ledger)?;
        // Who holds a snapshot for us has written its id there, for the next command.
        if self.snapshot.is_none() {
            self.keep_id(&epoch)?;
        }
        tracing::info!(
            "epoch {}: snapshot {} ({}), consistent from {}",
            epoch.number,
            epoch.id,
            epoch.snapshot,
            epoch.insert_lsn
        );
        Ok(epoch)
    }

    fn keep_id(&self, epoch: &Epoch) -> Result<(), MigrationError> {
        let path = self.work_dir.snapshot_path();
        let text = format!("{}\n", epoch.id);
        durable_file::replace(&path, text.as_bytes()).map_err(|source| MigrationError::Io {
            doing: "writing",
            path,
            source,
        })
    }

    /// Without the stream, all rows are of one moment unless other was asked for.
    fn check_moment(&self, epoch: &Epoch, ledger: &Ledger) -> Result<(), MigrationError> {
        // Whether one of our own may be another moment was decided when the run began.
        if self.snapshot.is_none() || self.run.slot.is_some() || self.several_moments {
            return Ok(());
        }
        if ledger.parts().next().is_none() {
            return Ok(());
        }
        let visibility = Visibility::Snapshot(epoch.snapshot.clone());
        let is_same = ledger.parts().all(|part| part.visibility == visibility);
        if is_same && !epoch.on_standby {
            return Ok(());
        }
        Err(MigrationError::Refused {
            side: None,
            problem: match epoch.on_standby {
                true => "on a standby it cannot be told whether a snapshot is the one that rows \
                         were copied under before"
                    .to_owned(),
                false => format!(
                    "rows were copied under another snapshot than {} before",
                    epoch.snapshot
                ),
            },
            hint: "name the snapshot that it was begun with, if it is still held; or take what is \
                   missing as it is now with --resume --not-consistent; or begin anew with \
                   --restart"
                .to_owned(),
        })
    }

    /// What was visible where the slot begins; every epoch must see all of it. Without a slot there
    /// is none; with one it must be known, or changes between slot and epoch could be in neither.
    fn slot_snapshot(&self) -> Result<Option<Snapshot>, MigrationError> {
        let run = self.run;
        let known = run
            .slot_snapshot
            .as_ref()
            .and_then(|text| text.parse().ok());
        match (&run.slot, known) {
            (Some(slot), None) => Err(MigrationError::Refused {
                side: None,
                problem: format!(
                    "the store does not say what was visible where slot {slot} begins"
                ),
                hint: "begin anew with --restart".to_owned(),
            }),
            (_, known) => Ok(known),
        }
    }

    /// Whether `source` still has the tables that the catalog names, as it names them. With change
    /// capture the stream tells, and the end looks again.
    pub(super) async fn check_tables(
        &self,
        source: &Session,
        known: &[TableRow],
    ) -> Result<(), MigrationError> {
        if self.run.slot.is_some() {
            return Ok(());
        }
        let now = discovery::tables(source, Sizes::Estimated).await;
        let mut now = now.map_err(on_source("reading the catalog"))?;
        self.select(source).await?.filter_tables(&mut now);
        let Some(difference) = difference(known, &now) else {
            return Ok(());
        };
        if self.several_moments {
            tracing::warn!("{difference} since the schema was dumped");
            return Ok(());
        }
        Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: format!("{difference} since the schema was dumped"),
            hint: "begin anew with --restart; or copy the tables that were dumped, as they are \
                   now, with --resume --not-consistent. To keep all steps at one moment, hold a \
                   snapshot with pgflit snapshot and name it with --snapshot"
                .to_owned(),
        })
    }
}

/// How the tables differ from those that are known, if they do.
fn difference(known: &[TableRow], now: &[TableRow]) -> Option<String> {
    let before: HashMap<_, _> = known.iter().map(|table| (table.oid, table)).collect();
    for table in now {
        match before.get(&table.oid) {
            None => return Some(format!("table {} was created", table.name)),
            Some(known) if known.name != table.name => {
                return Some(format!(
                    "table {} was renamed to {}",
                    known.name, table.name
                ));
            }
            Some(known) if known.columns != table.columns => {
                return Some(format!("the columns of table {} were changed", table.name));
            }
            Some(_) => {}
        }
    }
    let gone = known
        .iter()
        .find(|table| !now.iter().any(|now| now.oid == table.oid));
    gone.map(|table| format!("table {} was dropped", table.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;
    use crate::store::Capture;

    fn table(oid: u32, name: &str, columns: &[&str]) -> TableRow {
        TableRow {
            oid,
            name: QualifiedName::new("public", name),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            bytes: 0,
            estimated_rows: 0,
            capture: Capture::Rows,
            uncaptured: 0,
        }
    }

    #[test]
    fn a_table_that_is_not_as_it_was_dumped_is_named() {
        let known = [table(1, "a", &["x"]), table(2, "b", &["y"])];
        let told = |now: &[TableRow]| difference(&known, now).unwrap_or_default();
        assert_eq!(difference(&known, &known), None);
        assert!(told(&known[..1]).contains("public.b was dropped"));
        let created = [known[0].clone(), known[1].clone(), table(3, "c", &[])];
        assert!(told(&created).contains("public.c was created"));
        let renamed = [table(1, "z", &["x"]), known[1].clone()];
        assert!(told(&renamed).contains("public.a was renamed to public.z"));
        let altered = [table(1, "a", &["x", "w"]), known[1].clone()];
        assert!(told(&altered).contains("columns of table public.a"));
    }
}
