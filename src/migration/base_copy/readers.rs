//! Where rows are read: on the source, or on standbys of it whose replay is paused.
//!
//! Each table is read at one place, whole, so that it is of one moment: the apply of changes
//! filters a table by one visibility. Tables are dealt out by size; those that a standby has no
//! rows of, unlogged ones, are read on the source.
//!
//! # Crash story
//! 1. *Before a standby is paused*, its address is in the store.
//! 2. *While it is paused*: it stays so after `kill -9`. The next start of the copy, `--restart` and
//!    `stream cleanup` read the store and resume it first. A standby that was restarted runs
//!    already.
//! 3. *After it is resumed*, its address is taken out of the store. Killed in between, the next
//!    start finds it running, and only forgets it.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::cause::chain;
use crate::base::{Visibility, failpoint};
use crate::catalog::ledger::Ledger;
use crate::clone::epoch::Epoch;
use crate::clone::rows::{Place, Reader, Task};
use crate::clone::schema::Side;
use crate::clone::standby::{self, Mark, Origin, Shown, Standby, StandbyError};
use crate::pg::{Address, Session};
use crate::store::{Capture, Store, TableRow, WorkDir};

use super::steps::{BaseCopy, Config};
use crate::migration::error::{MigrationError, on_source, to_source};

/// How long standbys may take to be resumed when the copy has ended: a person waits.
const RELEASE_MAX: Duration = Duration::from_secs(15);

/// The source among the readers.
const SOURCE: usize = 0;

/// The places that rows are read at, each with the snapshot that is held there.
pub(super) struct Readers {
    /// The source first, then its standbys.
    pub(super) list: Vec<Reader>,
    /// The source's; let go where only standbys are read.
    epoch: Option<Epoch>,
    /// The standbys', in their order.
    shown: Vec<Shown>,
    /// Which table is read where, by OID.
    places: HashMap<u32, usize>,
}

impl Readers {
    /// The source alone.
    pub(super) fn of_source(epoch: Epoch, address: &Address) -> Self {
        Self {
            list: vec![of_epoch(&epoch, address)],
            epoch: Some(epoch),
            shown: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Where `table` is read.
    pub(super) fn place_of(&self, table: u32) -> usize {
        self.places.get(&table).copied().unwrap_or(SOURCE)
    }

    /// Sessions that see what is read at each place; those of the source not any more where only
    /// standbys are read.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (usize, &Session)> {
        let source = self.epoch.as_ref().map(|epoch| (SOURCE, epoch.session()));
        let standbys = self.shown.iter().map(Shown::session);
        source.into_iter().chain((SOURCE + 1..).zip(standbys))
    }

    /// Where large objects are read: on a standby, if there is one.
    pub(super) fn of_large_objects(&self) -> Option<(&Reader, &Session)> {
        let (at, session) = self.sessions().last()?;
        Some((self.list.get(at)?, session))
    }
}

/// The source as a reader.
pub(super) fn of_epoch(epoch: &Epoch, source: &Address) -> Reader {
    Reader {
        address: source.clone(),
        place: Place::Source,
        snapshot_id: epoch.id.clone(),
        visibility: Visibility::Snapshot(epoch.snapshot.clone()),
        epoch: epoch.number,
        convergence: epoch.insert_lsn,
    }
}

impl BaseCopy<'_> {
    /// Opens what `tables` are read under: `epoch` alone, or snapshots of standbys beside it.
    pub(super) async fn open_readers(
        &mut self,
        epoch: Epoch,
        tables: &[TableRow],
        ledger: &Ledger,
    ) -> Result<Readers, MigrationError> {
        let config = self.config;
        let mut readers = Readers::of_source(epoch, &config.source);
        if config.copy_from.is_empty() || tables.is_empty() {
            return Ok(readers);
        }
        let is_there = |table: &TableRow| ledger.is_complete(&table.name);
        readers.places = deal_out(tables, config.copy_from.len(), is_there);
        if config.run.slot.is_none()
            && let Some(unlogged) = tables.iter().find(|table| is_unlogged(table))
        {
            return Err(no_unlogged_rows(unlogged));
        }
        let shutdown = self.shutdown;
        let paused = tokio::select! {
            paused = self.pause_standbys(&mut readers, tables) => paused,
            () = shutdown.wait() => Err(MigrationError::Stopped),
        };
        paused?;
        let is_read = |place: usize| readers.places.values().any(|at| *at == place);
        if !is_read(SOURCE) {
            // So that the source can remove what only this snapshot sees.
            readers.epoch = None;
        }
        Ok(readers)
    }

    async fn pause_standbys(
        &mut self,
        readers: &mut Readers,
        tables: &[TableRow],
    ) -> Result<(), MigrationError> {
        // Those that this run has paused for an earlier epoch.
        self.release_standbys().await;
        let config = self.config;
        let epoch = &readers.list[SOURCE];
        let slot = config.run.slot_lsn.unwrap_or_default();
        let first_number = epoch.epoch + 1;
        let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
        let standbys = check_standbys(&config.source, &config.copy_from).await?;
        let mark = mark(&config.source).await?;
        let marked = mark.as_ref().map_or(slot, |mark| mark.made_before);
        let wanted = standby::Wanted {
            at_least: epoch.convergence.max(slot).max(marked),
            tables: &oids,
            patience: config.choices.retry_for,
        };
        // None is paused while another is waited for.
        for one in &standbys {
            one.check_runs().await?;
            one.wait_until_replayed(wanted).await?;
            if let Some(mark) = &mark {
                one.check_history(mark).await?;
            }
        }
        for (number, one) in (first_number..).zip(&standbys) {
            self.store.note_paused(&one.to_string())?;
            failpoint::reach("standby noted");
            let shown = one.pause(wanted).await?;
            failpoint::reach("standby paused");
            tracing::info!(
                "epoch {number}: replay of the standby {one} is paused at {}, for as long as rows are read there; should this process be killed, --resume or pgflit stream cleanup resumes it",
                shown.replayed
            );
            readers.list.push(Reader {
                address: one.address().clone(),
                place: Place::standby(),
                snapshot_id: shown.snapshot_id.clone(),
                visibility: shown.visibility(),
                epoch: number,
                convergence: shown.replayed,
            });
            readers.shown.push(shown);
        }
        Ok(())
    }

    /// Resumes the standbys that this migration has paused, in this run or in one that was killed;
    /// rows are not read there any more. One that cannot be reached is told of, and stays in the
    /// store.
    pub(super) async fn release_standbys(&mut self) {
        let (config, store) = (self.config, &mut self.store);
        let released = release(store, &config.copy_from, &config.run.source_system).await;
        if let Err(error) = released {
            tracing::warn!("{}", chain(&error));
        }
    }
}

/// Connects to `standbys` and makes sure that each is one of the source. Nothing is changed.
pub async fn check_standbys(
    source: &Address,
    standbys: &[Address],
) -> Result<Vec<Standby>, MigrationError> {
    let session = Session::connect(source, "standbys")
        .await
        .map_err(to_source(source))?;
    let failed = on_source("looking at what its standbys must have");
    let origin = Origin::of(&session).await.map_err(&failed)?;
    let waits = standby::source_waits_for_replay(&session).await;
    if !standbys.is_empty() && waits.map_err(&failed)? {
        return Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: "the source waits for standbys to replay its transactions \
                      (synchronous_commit = remote_apply), and one that is paused would stop it"
                .to_owned(),
            hint: "leave --copy-from out, or set synchronous_commit = on meanwhile".to_owned(),
        });
    }
    let mut checked = Vec::new();
    for address in standbys {
        let one = Standby::connect(address).await?;
        one.check(&origin).await?;
        checked.push(one);
    }
    Ok(checked)
}

/// Makes what tells whether a standby replays what this source does.
async fn mark(source: &Address) -> Result<Option<Mark>, MigrationError> {
    let session = Session::connect(source, "standbys")
        .await
        .map_err(to_source(source))?;
    let mark = Mark::make(&session).await;
    mark.map_err(on_source("making transactions that standbys must have"))
}

/// Whatever has become of the copy, standbys that can be reached are not left paused. Those that cannot be
/// are told of and stay in the store, for the next start.
pub async fn release_at_the_end(config: &Config) {
    let released = async {
        let mut store = config.work_dir.open_store()?;
        release(&mut store, &config.copy_from, &config.run.source_system).await
    };
    match tokio::time::timeout(RELEASE_MAX, released).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{}", chain(&error)),
        Err(_) => tracing::warn!(
            "a standby does not answer, and its replay may still be paused: --resume or pgflit stream cleanup resumes it"
        ),
    }
}

/// Resumes the standbys that the run in `work_dir`, of the source `system`, has left paused, and
/// says so.
pub async fn release_all(
    work_dir: &WorkDir,
    known: &[Address],
    system: &str,
) -> Result<(), MigrationError> {
    let mut store = Store::create(&work_dir.store_path())?;
    release(&mut store, known, system).await
}

/// Resumes the standbys that the store names: by those of `known`, which have passwords, where they
/// are among them. All of them are tried; the first error is given.
async fn release(store: &mut Store, known: &[Address], system: &str) -> Result<(), MigrationError> {
    let mut first = Ok(());
    for name in store.paused_standbys()? {
        let released = release_one(store, known, system, &name).await;
        if let Err(error) = released {
            match first {
                Ok(()) => first = Err(error),
                Err(_) => tracing::warn!("{}", chain(&error)),
            }
        }
    }
    first
}

async fn release_one(
    store: &mut Store,
    known: &[Address],
    system: &str,
    name: &str,
) -> Result<(), MigrationError> {
    let among_known = known.iter().find(|address| address.to_string() == name);
    let address = match among_known {
        Some(address) => address.clone(),
        None => Address::parse(name).map_err(|source| MigrationError::Address {
            side: "standby",
            source,
        })?,
    };
    let unreachable = |source: StandbyError| MigrationError::LeftPaused {
        address: name.to_owned(),
        source,
    };
    let one = Standby::connect(&address).await.map_err(unreachable)?;
    // At that address there may be another server by now.
    if one.is_of(system).await.map_err(unreachable)? && one.resume().await.map_err(unreachable)? {
        tracing::info!("resumed replay of the standby {name}");
    }
    failpoint::reach("standby resumed");
    Ok(store.forget_paused(name)?)
}

fn is_unlogged(table: &TableRow) -> bool {
    table.capture == Capture::Nothing
}

/// Standbys have no rows of unlogged tables, and those of the source are of another moment.
pub fn no_unlogged_rows(table: &TableRow) -> MigrationError {
    MigrationError::Refused {
        side: Some(Side::Source),
        problem: format!(
            "{} is unlogged: a standby has none of its rows, and those of the source are of \
             another moment",
            table.name
        ),
        hint: "leave --copy-from out; or have such tables made empty, with [exclude-table-data] \
               in --filters; with --follow they are read on the source"
            .to_owned(),
    }
}

/// Which of `standbys` each table is read at, by OID: the largest first, each where least is to be
/// read yet; nothing of those that are there. Those that have rows on the source alone are read
/// there.
fn deal_out(
    tables: &[TableRow],
    standbys: usize,
    is_there: impl Fn(&TableRow) -> bool,
) -> HashMap<u32, usize> {
    // An empty table costs something too.
    const EACH: u64 = 8192;
    let mut by_size: Vec<_> = tables.iter().collect();
    by_size.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    let mut loads = vec![0; standbys];
    let mut places = HashMap::new();
    for table in by_size {
        let least = loads.iter_mut().enumerate().min_by_key(|(_, load)| **load);
        let place = match least {
            Some((at, load)) if !is_unlogged(table) => {
                if !is_there(table) {
                    *load += table.bytes + EACH;
                }
                SOURCE + 1 + at
            }
            _ => SOURCE,
        };
        places.insert(table.oid, place);
    }
    places
}

/// `tasks` in an order that keeps all readers at work: in turn one of each, which for a single
/// reader changes nothing.
pub(super) fn in_turn(tasks: Vec<Task>) -> Vec<Task> {
    let mut taken: HashMap<usize, usize> = HashMap::new();
    let mut placed: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let turn = taken.entry(task.reader).or_default();
            *turn += 1;
            (*turn, task)
        })
        .collect();
    placed.sort_by_key(|(turn, _)| *turn);
    placed.into_iter().map(|(_, task)| task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;

    fn table(oid: u32, bytes: u64, capture: Capture) -> TableRow {
        TableRow {
            oid,
            name: QualifiedName::new("public", format!("t{oid}")),
            columns: vec![],
            bytes,
            estimated_rows: 0,
            capture,
            uncaptured: 0,
        }
    }

    #[test]
    fn tables_are_dealt_out_by_size_and_unlogged_ones_are_read_on_the_source() {
        let tables = [
            table(1, 50 << 20, Capture::Rows),
            table(2, 90 << 20, Capture::Rows),
            table(3, 30 << 20, Capture::InsertsOnly),
            table(4, 0, Capture::Rows),
            table(5, 70 << 20, Capture::Nothing),
        ];
        let places = deal_out(&tables, 2, |_| false);
        let place = |oid: u32| places[&oid];
        assert_eq!(place(5), SOURCE);
        assert_eq!((place(2), place(1), place(3), place(4)), (1, 2, 2, 2));
        let of_one = deal_out(&tables, 1, |_| false);
        assert_eq!(of_one.values().filter(|at| **at == 1).count(), 4);
        // What is there already does not count.
        let places = deal_out(&tables, 2, |table| table.oid == 2);
        assert_eq!((places[&1], places[&3]), (1, 2));
    }
}
