//! What may become of the source and of this disk while changes are captured: told while there is
//! time to do something about it.
//!
//! - `tables`: tables that are created, dropped or renamed;
//! - `Warnings`: columns whose values may have become others without a change;
//! - `slot`: how much WAL the slot keeps on the source, and how near that is to too much;
//! - `disk`: how much room is left for segments;
//! - `lag`: how far the target is behind, where somebody wants to know.
//!
//! Nothing depends on it: a source that does not answer is receive's to report, and so is a full disk.

mod disk;
mod lag;
mod slot;
mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::Shutdown;
use crate::base::cause::chain;
use crate::base::quantity::ByteSize;
use crate::pg::{Address, Session};
use crate::store::{Store, WorkDir};

use super::error::{MigrationError, to_source};
use super::finish::NewTables;
use super::rewritten::Warnings;
use disk::Disk;
use lag::Lag;
use slot::Slot;
use tables::Tables;

/// How often the source is asked.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Where reading the names of its tables takes long, they are read less often: it is not there for us.
const SHARE: u32 = 50;

/// What is to be told, and to whom.
#[derive(Debug)]
pub struct Wanted {
    /// Whether a new table ends the migration or is only told.
    pub new_tables: NewTables,
    /// How far behind the target may be before that is told.
    pub lag_limit: Option<ByteSize>,
    /// Is told how far the source's WAL is.
    pub source_lsn: Arc<AtomicU64>,
}

/// Looks until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to look, in a thread of its own.
    pub fn start(source: &Address, work_dir: &WorkDir, wanted: Wanted) -> Self {
        let stop = Shutdown::default();
        let (asked, source, work_dir) = (stop.clone(), source.clone(), work_dir.clone());
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let watched = watch(&source, &work_dir, wanted, &asked);
                if let Err(error) = watched {
                    tracing::warn!(
                        "new tables on the source are told at the end only, and what its slot keeps is not told: {}",
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
    wanted: Wanted,
    stop: &Shutdown,
) -> Result<(), MigrationError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    let store = work_dir.open_store()?;
    let mut watcher = Watcher {
        source,
        session: None,
        new_tables: wanted.new_tables,
        source_lsn: wanted.source_lsn,
        tables: Tables::known(&store)?,
        columns: Warnings::default(),
        slot: store.run()?.unwrap_or_default().slot.map(Slot::named),
        disk: Disk::of(&work_dir.cdc),
        lag: wanted.lag_limit.map(Lag::over),
        store,
    };
    runtime.block_on(async {
        tokio::select! {
            () = watcher.look_again_and_again() => {}
            () = stop.wait() => {}
        }
    });
    Ok(())
}

struct Watcher<'a> {
    source: &'a Address,
    session: Option<Session>,
    new_tables: NewTables,
    source_lsn: Arc<AtomicU64>,
    tables: Tables,
    columns: Warnings,
    slot: Option<Slot>,
    disk: Disk,
    lag: Option<Lag>,
    store: Store,
}

impl Watcher<'_> {
    async fn look_again_and_again(&mut self) {
        let mut names_are_due = Instant::now();
        loop {
            self.disk.look();
            let reads_names = Instant::now() >= names_are_due;
            match self.look_at_source(reads_names).await {
                Ok(took) if reads_names => {
                    // Those of small databases at each look, which comes a little later than it is due.
                    names_are_due = Instant::now() + (took * SHARE).max(LOOK_AGAIN / 2);
                }
                Ok(_) => {}
                Err(error) => {
                    self.session = None;
                    tracing::debug!("looking at the source: {}", chain(&error));
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Looks at the slot, and at the tables where that is wanted; how long those took.
    async fn look_at_source(&mut self, reads_names: bool) -> Result<Duration, MigrationError> {
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                let opened = Session::connect(self.source, "watch").await;
                none.insert(opened.map_err(to_source(self.source))?)
            }
        };
        if let Some(slot) = &mut self.slot
            && let Some(lsn) = slot.look(session).await?
        {
            self.source_lsn.store(lsn.as_u64(), Ordering::Relaxed);
            if let Some(lag) = &mut self.lag {
                lag.look(lsn, &self.store)?;
            }
        }
        let begun = Instant::now();
        if reads_names {
            self.tables
                .look(session, &self.store, self.new_tables)
                .await?;
            self.columns.look(session, &self.store).await?;
        }
        Ok(begun.elapsed())
    }
}
