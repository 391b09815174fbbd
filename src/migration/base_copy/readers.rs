//! Where rows are read: on the source, or on standbys of it whose replay is paused.
//!
//! Tables are dealt out by size; those that a standby has no rows of, unlogged ones, are read on the
//! source. The parts of a table are dealt out one by one where apply can tell of every change which
//! part it concerns, as of parts of several epochs; any other table is read at one place, whole, so
//! that it is of one moment.
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

use crate::base::Side;
use crate::base::cause::chain;
use crate::base::{Visibility, failpoint};
use crate::catalog::ledger::Ledger;
use crate::clone::epoch::Epoch;
use crate::clone::rows::{Place, Reader, Task};
use crate::clone::standby::{self, Mark, Origin, Shown, Standby, StandbyError};
use crate::pg::{Address, Session};
use crate::store::{Capture, PartRow, Store, TableRow, WorkDir};

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
    places: Places,
}

/// What is read where.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    /// Tables that are read at one place, by OID.
    tables: HashMap<u32, usize>,
    /// Parts of the others, by OID and number.
    parts: HashMap<(u32, u32), usize>,
}

impl Places {
    fn all(&self) -> impl Iterator<Item = usize> {
        self.tables.values().chain(self.parts.values()).copied()
    }
}

impl Readers {
    /// The source alone.
    pub(super) fn of_source(epoch: Epoch, address: &Address) -> Self {
        Self {
            list: vec![of_epoch(&epoch, address)],
            epoch: Some(epoch),
            shown: Vec::new(),
            places: Places::default(),
        }
    }

    /// Where `table` is read, or this part of it.
    pub(super) fn place_of(&self, table: u32, part: Option<u32>) -> usize {
        let of_part = part.and_then(|part| self.places.parts.get(&(table, part)));
        let place = of_part.or_else(|| self.places.tables.get(&table));
        place.copied().unwrap_or(SOURCE)
    }

    /// Whether anything of `table` is read at `place`.
    pub(super) fn is_read_at(&self, table: u32, place: usize) -> bool {
        let mut parts = self.places.parts.iter();
        match self.is_split(table) {
            true => parts.any(|((oid, _), at)| *oid == table && *at == place),
            false => self.place_of(table, None) == place,
        }
    }

    /// Whether parts of `table` are read at several places, so at several moments.
    pub(super) fn is_split(&self, table: u32) -> bool {
        self.places.parts.contains_key(&(table, 0))
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
        let parts = self.parts_by_table()?;
        // Without the stream, all parts of a table are to be of one moment.
        let none = Vec::new();
        let ranges = |table: &TableRow| match config.run.slot {
            Some(_) => parts.get(&table.oid).unwrap_or(&none).as_slice(),
            None => &[],
        };
        readers.places = deal_out(tables, config.copy_from.len(), ranges, is_there);
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
        if readers.places.all().all(|place| place != SOURCE) {
            // So that the source can remove what only this snapshot sees.
            readers.epoch = None;
        }
        Ok(readers)
    }

    /// The parts of tables of which apply can tell which part a change concerns.
    fn parts_by_table(&self) -> Result<HashMap<u32, Vec<PartRow>>, MigrationError> {
        let mut parts: HashMap<u32, Vec<PartRow>> = HashMap::new();
        for part in self.store.parts()? {
            parts.entry(part.table_oid).or_default().push(part);
        }
        parts.retain(|_, parts| parts.iter().all(|part| part.range.is_some()));
        Ok(parts)
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

/// What is read at which of `standbys`: the largest table first, each where least is to be read
/// yet, or each of its parts if it has `ranges`; nothing of those that are there counts. Tables that
/// have rows on the source alone are read there.
fn deal_out<'a>(
    tables: &[TableRow],
    standbys: usize,
    ranges: impl Fn(&TableRow) -> &'a [PartRow],
    is_there: impl Fn(&TableRow) -> bool,
) -> Places {
    // An empty table costs something too.
    const EACH: u64 = 8192;
    let mut by_size: Vec<_> = tables.iter().collect();
    by_size.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    let mut loads = vec![0; standbys];
    let mut next = |bytes: u64| {
        let least = loads.iter_mut().enumerate().min_by_key(|(_, load)| **load);
        least.map_or(SOURCE, |(at, load)| {
            *load += bytes;
            SOURCE + 1 + at
        })
    };
    let mut places = Places::default();
    for table in by_size {
        let parts = ranges(table);
        if is_unlogged(table) {
            places.tables.insert(table.oid, SOURCE);
        } else if standbys > 1 && parts.len() > 1 && !is_there(table) {
            for part in parts {
                let place = next(part.bytes + EACH);
                places.parts.insert((table.oid, part.number), place);
            }
        } else {
            let bytes = match is_there(table) {
                true => 0,
                false => table.bytes + EACH,
            };
            places.tables.insert(table.oid, next(bytes));
        }
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

    fn part(table_oid: u32, number: u32) -> PartRow {
        PartRow {
            table_oid,
            number,
            condition: "true".into(),
            by_key: true,
            bytes: 10 << 20,
            range: None,
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
        let whole = |standbys, there: u32| {
            let places = deal_out(&tables, standbys, |_| &[], |table| table.oid == there);
            assert!(places.parts.is_empty());
            [1, 2, 3, 4, 5].map(|oid: u32| places.tables[&oid])
        };
        assert_eq!(whole(2, 0), [2, 1, 2, 2, SOURCE]);
        assert_eq!(whole(1, 0), [1, 1, 1, 1, SOURCE]);
        // What is there already does not count.
        assert_eq!(whole(2, 2), [1, 1, 2, 2, SOURCE]);
    }

    #[test]
    fn parts_that_changes_tell_apart_are_dealt_out_one_by_one_over_several_standbys() {
        let tables = [table(1, 30 << 20, Capture::Rows)];
        let parts = [part(1, 0), part(1, 1), part(1, 2)];
        let dealt = |standbys, is_there| {
            let places = deal_out(&tables, standbys, |_| &parts, |_| is_there);
            let mut of_parts: Vec<_> = places.parts.into_iter().collect();
            of_parts.sort_unstable();
            (places.tables.len(), of_parts)
        };
        let split = vec![((1, 0), 1), ((1, 1), 2), ((1, 2), 1)];
        assert_eq!(dealt(2, false), (0, split));
        assert_eq!(dealt(1, false), (1, vec![]));
        assert_eq!(dealt(2, true), (1, vec![]));
    }
}
