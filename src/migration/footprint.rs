//! What a beginning has made so far, so that it can be taken back.
//!
//! A migration that fails or is stopped before its slot is made has done nothing worth resuming,
//! so nothing of it stays: no slot, no publication, no file. Once the slot is made and written
//! into the store, everything stays, for `--resume`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::cause::chain;
use crate::pg::{Address, Session};
use crate::store::{Lock, Store, WorkDir};

use super::begin;
use super::capture;
use super::error::{MigrationError, to_source};
use super::identities::{self, At};

/// How long a source may take to let go of what was made there: longer than a walsender takes to
/// notice that its client has gone, shorter than a person waits.
const LEAVE_MAX: Duration = Duration::from_secs(15);

/// What is there only because of this process.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    /// Folders that were not there, the deepest last.
    folders: Vec<PathBuf>,
    /// Whether the files in the work directory are ours, which the lock alone tells.
    owns_files: bool,
    /// Whether the lock file was not there.
    owns_lock_file: bool,
    /// Whether replica identities may be changed, as the store notes.
    changes_identities: bool,
    /// The publications, from before the first is made.
    publication: Option<String>,
    /// The slot, from before it is asked for until the source has refused it.
    slot: Option<String>,
}

impl Footprint {
    /// Makes the folders of `work_dir` and takes its lock, unless the caller has it already.
    ///
    /// # Errors
    /// A folder cannot be made; somebody else was faster, and is at work or has been.
    pub(super) fn enter(
        &mut self,
        work_dir: &WorkDir,
        lock: Option<Lock>,
    ) -> Result<Lock, MigrationError> {
        for folder in [&work_dir.root, &work_dir.cdc, &work_dir.schema_path()] {
            let missing = folder
                .ancestors()
                .take_while(|path| !path.as_os_str().is_empty() && !path.exists());
            let mut missing: Vec<_> = missing.map(Path::to_owned).collect();
            missing.reverse();
            missing.retain(|path| !self.folders.contains(path));
            self.folders.append(&mut missing);
        }
        work_dir.create()?;
        if let Some(lock) = lock {
            return Ok(lock);
        }
        let has_lock_file = work_dir.lock_path().exists();
        let lock = work_dir.lock()?;
        if work_dir.has_begun() {
            return Err(begin::interrupted(work_dir));
        }
        self.owns_lock_file = !has_lock_file;
        Ok(lock)
    }

    /// The lock is ours, and no run is in the work directory: whatever comes into it is ours.
    pub(super) fn owns_files(&mut self) {
        self.owns_files = true;
    }

    /// Replica identities are about to be changed.
    pub(super) fn changes_identities(&mut self) {
        self.changes_identities = true;
    }

    /// Publications are about to be made.
    pub(super) fn makes_publication(&mut self, publication: &str) {
        self.publication = Some(publication.to_owned());
    }

    /// A slot is about to be asked for.
    pub(super) fn makes_slot(&mut self, slot: &str) {
        self.slot = Some(slot.to_owned());
    }

    /// The source has refused to make the slot, because one of that name is somebody else's.
    pub(super) fn slot_was_refused(&mut self) {
        self.slot = None;
    }

    /// Takes everything back. What cannot be is logged with what to do: the reason to take it
    /// back matters more to the operator than that this failed too.
    pub(super) async fn take_back(self, source: &Address, work_dir: &WorkDir) {
        let left = tokio::time::timeout(LEAVE_MAX, self.leave_source(source, work_dir));
        let problem = match left.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(chain(&error).to_string()),
            Err(_) => Some("the source does not answer".to_owned()),
        };
        if let Some(problem) = problem {
            tracing::warn!("{problem}; remove what is left with pgflit stream cleanup");
            return;
        }
        if let Err(error) = self.leave_work_dir(work_dir) {
            tracing::warn!("{}", chain(&error));
        }
    }

    async fn leave_source(
        &self,
        address: &Address,
        work_dir: &WorkDir,
    ) -> Result<(), MigrationError> {
        if self.slot.is_none() && self.publication.is_none() && !self.changes_identities {
            return Ok(());
        }
        let source = Session::connect(address, "cleanup")
            .await
            .map_err(to_source(address))?;
        if let Some(slot) = &self.slot {
            capture::give_up_slot(&source, slot).await?;
        }
        if let Some(publication) = &self.publication {
            capture::drop_publications(&source, publication).await?;
        }
        if self.changes_identities {
            let mut store = Store::create(&work_dir.store_path())?;
            identities::put_back(&source, &mut store, At::Cleanup).await?;
        }
        Ok(())
    }

    fn leave_work_dir(&self, work_dir: &WorkDir) -> Result<(), MigrationError> {
        if self.owns_files {
            begin::remove_files(work_dir)?;
            if self.owns_lock_file {
                // Last of the files: whoever finds none begins a work directory of their own.
                begin::remove_file(work_dir.lock_path())?;
            }
        }
        for folder in self.folders.iter().rev() {
            // Only what is empty goes: somebody else may have put something there meanwhile.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}
