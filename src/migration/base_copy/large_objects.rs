//! Large objects: copied beside the rows, and compared again when following ends.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::base::Shutdown;
use crate::base::quantity::ByteSize;
use crate::catalog::ledger::{self, Ledger};
use crate::clone::epoch::Epoch;
use crate::clone::large_objects::{self, Copied, LargeObjectError, Restored};
use crate::pg::{Address, Session};
use crate::store::LARGE_OBJECTS_STEP;

use super::readers::{Readers, of_epoch};
use super::steps::{BaseCopy, Choices};
use crate::migration::error::{MigrationError, on_source, on_target};

const STEP: &str = LARGE_OBJECTS_STEP;

/// A copy that runs in a thread of its own.
pub(super) struct Copying {
    thread: JoinHandle<Result<Copied, LargeObjectError>>,
    stop: Shutdown,
}

impl BaseCopy<'_> {
    /// Begins to copy them, under the same snapshot as rows; none if there is nothing to do.
    pub(super) async fn begin_large_objects(
        &mut self,
        ledger: &Ledger,
        readers: Option<&Readers>,
    ) -> Result<Option<Copying>, MigrationError> {
        let choices = &self.config.choices;
        if choices.large_object_jobs.is_none() || self.store.step_is_done(STEP)? {
            return Ok(None);
        }
        self.go_on()?;
        self.store.begin_step(STEP)?;
        let noted = large_objects::note_kept(&self.target).await;
        noted.map_err(on_target("looking at its large objects"))?;
        // The rows may be there already, and their snapshot gone.
        let own = match readers {
            Some(_) => None,
            None => Some(self.open_epoch(ledger).await?),
        };
        let own_reader = own
            .as_ref()
            .map(|epoch| of_epoch(epoch, &self.config.source));
        let of_rows = readers.and_then(Readers::of_large_objects);
        let reader = of_rows.or(own_reader.as_ref().zip(own.as_ref().map(Epoch::session)));
        // Where there are none, that is known at once: the step must not wait for the indexes.
        if let Some((_, session)) = reader {
            let any = "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata),
                              (SELECT count(*) FROM pg_catalog.pg_seclabel
                                WHERE classoid = 'pg_catalog.pg_largeobject'::regclass)";
            let any = session.query_one(any, &[]).await;
            let any = any.map_err(on_source("looking for large objects"))?;
            if !any.get::<_, bool>(0) {
                self.store.finish_step(STEP)?;
                return Ok(None);
            }
            let labels: i64 = any.get(1);
            if labels > 0 {
                tracing::warn!(
                    "{labels} security labels of large objects are not copied: pg_seclabels on the source lists them; SECURITY LABEL sets them on the target"
                );
            }
        }
        let stop = Shutdown::default();
        let source = reader.map_or(&self.config.source, |(reader, _)| &reader.address);
        let Some(config) = config(source, &self.config.target, choices, &stop) else {
            return Ok(None);
        };
        let config = large_objects::Config {
            snapshot_id: reader.map(|(reader, _)| reader.snapshot_id.clone()),
            ..config
        };
        let (ready, is_ready) = mpsc::sync_channel(1);
        let give_up = choices.fail_fast.then(|| self.give_up.clone());
        let thread = thread::spawn(move || {
            let copied = large_objects::copy(&config, &ready);
            if let (Err(_), Some(give_up)) = (&copied, give_up) {
                give_up.ask();
            }
            copied
        });
        let copying = Copying { thread, stop };
        // Once it holds the snapshot itself, or has failed.
        while let Err(mpsc::RecvTimeoutError::Timeout) = is_ready.recv_timeout(LOOK_AGAIN) {
            if self.shutdown.asked() {
                copying.stop.ask();
            }
        }
        Ok(Some(copying))
    }

    /// Waits until they are copied, or something else has failed with `--fail-fast`.
    pub(super) async fn end_large_objects(
        &mut self,
        copying: Option<Copying>,
    ) -> Result<(), MigrationError> {
        let Some(Copying { thread, stop }) = copying else {
            return Ok(());
        };
        while !thread.is_finished() {
            if self.give_up.asked() || self.shutdown.sleep(LOOK_AGAIN) {
                stop.ask();
                thread::sleep(LOOK_AGAIN);
            }
        }
        let copied = thread.join();
        let copied = copied.map_err(|_| MigrationError::Thread("large objects".to_owned()))??;
        if !copied.complete {
            return Err(MigrationError::Stopped);
        }
        self.reopen_target().await?;
        let durable = ledger::make_durable(&self.target).await;
        durable.map_err(on_target("waiting for its disk"))?;
        if copied.objects > 0 {
            tracing::info!(
                "copied {} large objects, {}",
                copied.objects,
                ByteSize(copied.bytes)
            );
        }
        Ok(self.store.finish_step(STEP)?)
    }
}

/// How often the threads look whether the other has ended.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

/// None if they are left out.
fn config(
    source: &Address,
    target: &Address,
    choices: &Choices,
    shutdown: &Shutdown,
) -> Option<large_objects::Config> {
    Some(large_objects::Config {
        source: source.clone(),
        target: target.clone(),
        jobs: choices.large_object_jobs?,
        snapshot_id: None,
        replace: choices.drop_if_exists,
        restored: Restored {
            owners: !choices.leave.has("--no-owner"),
            privileges: !choices.leave.has("--no-acl"),
            comments: !choices.leave.has("--no-comments"),
        },
        retry_for: choices.retry_for,
        shutdown: shutdown.clone(),
    })
}

/// Makes the target's large objects those that the source has now, unless they are left out.
pub async fn compare_large_objects(
    source: &Address,
    target: (&Address, &Session),
    choices: &Choices,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let (target, session) = target;
    let Some(config) = config(source, target, choices, shutdown) else {
        return Ok(());
    };
    let compared = large_objects::compare(&config).await?;
    if shutdown.asked() {
        return Err(MigrationError::Stopped);
    }
    let durable = ledger::make_durable(session).await;
    durable.map_err(on_target("waiting for its disk"))?;
    if compared != large_objects::Compared::default() {
        tracing::info!(
            "large objects had changed meanwhile: {} copied again, {} removed",
            compared.copied,
            compared.removed
        );
    }
    Ok(())
}
