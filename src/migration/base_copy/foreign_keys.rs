//! Foreign keys, when all tables are of one moment.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::base::{Lsn, durable_file};
use crate::clone::foreign_keys::{self, Config, ForeignKey};
use crate::pg::Session;

use super::refused::Definition;
use super::source::SourceSide;
use super::steps::{BaseCopy, FOREIGN_KEYS_STEP};
use crate::migration::error::{MigrationError, on_source, on_target};

/// How often convergence is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The file that keeps them as they were when the schema was dumped.
const FILE: &str = "foreign-keys.json";

impl SourceSide<'_> {
    /// Keeps the foreign keys of the source as `session`, which has the snapshot, sees them.
    pub(super) async fn keep_foreign_keys(&self, session: &Session) -> Result<(), MigrationError> {
        let keys = foreign_keys::read(session, self.choices.sizes).await;
        let keys = keys.map_err(on_source("reading its foreign keys"))?;
        let path = self.work_dir.schema_path().join(FILE);
        let written = serde_json::to_vec(&keys)
            .map_err(std::io::Error::from)
            .and_then(|text| durable_file::replace(&path, &text));
        written.map_err(|source| MigrationError::Io {
            doing: "writing",
            path,
            source,
        })
    }
}

impl BaseCopy<'_> {
    fn kept_foreign_keys(&self) -> Result<HashMap<u32, ForeignKey>, MigrationError> {
        let path = self.config.work_dir.schema_path().join(FILE);
        let read = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        let keys: Vec<ForeignKey> = read.map_err(|source| MigrationError::Io {
            doing: "reading",
            path,
            source,
        })?;
        Ok(keys.into_iter().map(|key| (key.oid, key)).collect())
    }

    /// Foreign keys hold only between tables of one moment: with several epochs they wait until
    /// apply has brought all tables to the same one.
    pub(super) async fn foreign_keys(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = FOREIGN_KEYS_STEP;
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.wait_for_convergence("foreign keys wait").await?;
        self.store.begin_step(STEP)?;
        let mut known = self.kept_foreign_keys()?;
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        for entry in self.contents()?.foreign_keys {
            match known.remove(&entry.object.1) {
                Some(key) => keys.push(key),
                // Not expected; the dump is the truth, and pg_restore adds it as a whole.
                None => others.push(entry),
            }
        }
        let mut failed = self.restore(STEP, others).await?;
        let config = Config {
            target: self.config.target.clone(),
            jobs: self.config.choices.restore_jobs,
            fail_fast: self.config.choices.fail_fast,
        };
        let count = keys.len();
        let made = tokio::select! {
            made = foreign_keys::make(&config, keys, self.shutdown) => made,
            // The server undoes what it was doing when it notices that we are gone.
            () = self.shutdown.overdue() => return Err(MigrationError::Stopped),
        };
        for refused in made.map_err(on_target("adding foreign keys"))? {
            let definition = Definition::of_foreign_key(refused);
            definition.say();
            failed.push(definition);
        }
        self.go_on()?;
        if failed.is_empty() {
            tracing::info!("{count} foreign keys added and validated");
            return self.finish_on_target(STEP).await;
        }
        self.refuse(failed)
    }

    /// Returns once the target has reached `convergence`.
    pub(super) async fn wait_until_replayed(
        &mut self,
        convergence: Lsn,
    ) -> Result<(), MigrationError> {
        loop {
            let sentinel = self.store.sentinel()?;
            if sentinel.replay_lsn >= convergence {
                return Ok(());
            }
            if let Some(endpos) = sentinel.endpos()
                && endpos < convergence
            {
                return Err(MigrationError::EndposTooEarly {
                    endpos,
                    begin: convergence,
                });
            }
            self.go_on()?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
