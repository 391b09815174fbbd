//! Definitions made on the target: in bounded transactions, each entry of the dump once.
//!
//! One transaction for all of them would run out of locks with tens of thousands of tables. So
//! entries are made a chunk at a time; each chunk is a transaction that notes in the ledger which
//! entries it made, and a resumed run makes the others. A chunk that fails is undone and halved,
//! until the entries that the target refuses are found; what needs those is not tried.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::base::backoff::Backoff;
use crate::base::{Shutdown, failpoint};
use crate::catalog::ledger::{self, EntryState};
use crate::catalog::restore_list::{self, Entry};
use crate::pg::{self, Session};

use super::programs::Programs;
use super::schema::{self, Leave, SchemaError};

/// Entries a transaction: few enough for the locks of a small server (some 6,400, of which a table
/// takes three), many enough that pg_restore, which reads the whole list of a dump each time
/// (0.15 s for 80,000 entries), costs little beside the target.
const CHUNK: usize = 1000;

/// How often a chunk that met a deadlock is tried again.
const DEADLOCKS: u32 = 20;

/// Definitions could not be made, and it is not about one of them.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// pg_restore, or a file.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The target failed, whatever was being made.
    #[error(transparent)]
    Target(#[from] pg::Error),
    /// A thread could not be run.
    #[error("running pg_restore: {0}")]
    Thread(String),
    /// It was asked to stop. Not an error; a way out.
    #[error("asked to stop")]
    Stopped,
}

/// An entry that the target refused.
#[derive(Debug)]
pub struct Refused {
    /// Which.
    pub entry: Entry,
    /// Its SQL.
    pub sql: String,
    /// Why.
    pub error: pg::Error,
}

/// What was not made.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the target refused.
    pub refused: Vec<Refused>,
    /// How many were not tried because they need one of those.
    pub skipped: usize,
}

/// What is needed to make definitions.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'a> {
    /// pg_restore.
    pub programs: &'a Programs,
    /// The dump.
    pub dump: &'a Path,
    /// Where lists for pg_restore are written for a moment.
    pub folder: &'a Path,
    /// What is left out.
    pub leave: &'a Leave,
    /// A session of its own: scripts change its settings.
    pub target: &'a Session,
    /// Whether to stop at the first entry that is refused and not dispensable.
    pub fail_fast: bool,
    /// Whether to stop.
    pub shutdown: &'a Shutdown,
}

impl Restore<'_> {
    /// Makes `entries`, in this order, and notes them in the ledger.
    pub async fn make(&self, entries: Vec<Entry>) -> Result<Outcome, RestoreError> {
        let mut outcome = Outcome::default();
        let mut missing = HashSet::new();
        let mut waiting = chunks(entries, CHUNK);
        let mut ahead: Option<Ahead> = None;
        let mut asked = 0..;
        let mut ask_for = |chunk: &[Entry]| self.ask_for(asked.next().unwrap_or(0), chunk);
        while let Some(chunk) = waiting.pop() {
            if self.shutdown.asked() {
                return Err(RestoreError::Stopped);
            }
            let count = chunk.len();
            let chunk = without_dependents(chunk, &mut missing);
            outcome.skipped += count - chunk.len();
            if chunk.is_empty() {
                continue;
            }
            let script = match ahead.take().filter(|ahead| ahead.is_for(&chunk)) {
                Some(ahead) => ahead,
                None => ask_for(&chunk),
            };
            let script = script.finish().await?;
            // pg_restore writes the next script while the target works on this one.
            ahead = waiting.last().map(|next| ask_for(next));
            let Err(error) = self.commit(&script, &chunk).await? else {
                continue;
            };
            match <[Entry; 1]>::try_from(chunk) {
                Ok([entry]) if is_about_entry(&error) => {
                    missing.insert(entry.dump_id);
                    let stop = self.fail_fast && !entry.is_dispensable();
                    outcome.refused.push(Refused {
                        sql: of_entry(&script).to_owned(),
                        entry,
                        error,
                    });
                    if stop {
                        return Ok(outcome);
                    }
                }
                Ok(_) => return Err(error.into()),
                Err(chunk) => {
                    let half = chunk.len().div_ceil(2);
                    waiting.extend(chunks(chunk, half));
                }
            }
        }
        Ok(outcome)
    }

    /// Has pg_restore write the script of `chunk`, beside everything else. Each `number` is used
    /// once: a script that nobody waits for any more is written all the same, and its file removed.
    fn ask_for(&self, number: u32, chunk: &[Entry]) -> Ahead {
        let dump_ids = dump_ids(chunk);
        let list = restore_list::list(chunk);
        let list_file = self.folder.join(format!("chunk-{number}.list"));
        let (programs, leave) = (self.programs.clone(), self.leave.clone());
        let dump: PathBuf = self.dump.to_owned();
        let script = tokio::task::spawn_blocking(move || {
            let script = schema::script(&programs, &dump, &list, &list_file, &leave);
            // Nobody needs it any more; one that stays does no harm.
            let _ = fs::remove_file(&list_file);
            script
        });
        Ahead { dump_ids, script }
    }

    /// Runs `script` and notes `chunk`, in one transaction, of which nothing is left if it fails.
    /// The inner error is one that the target gave for this script.
    async fn commit(
        &self,
        script: &str,
        chunk: &[Entry],
    ) -> Result<Result<(), pg::Error>, RestoreError> {
        let note = ledger::note_entries_sql(&dump_ids(chunk), EntryState::Done);
        let sql = format!("BEGIN;\n{script}\n{note}");
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        for attempt in 1.. {
            let made = async {
                self.target.batch(&sql).await?;
                // Separately: when we are killed meanwhile, the server ends the script and then
                // finds nobody who asks for a commit, so that a resumed run never meets half of
                // ours.
                self.target.batch("COMMIT").await
            };
            let made = tokio::select! {
                made = made => made,
                // The server undoes it when it notices that we are gone.
                () = self.shutdown.overdue() => return Err(RestoreError::Stopped),
            };
            let Err(error) = made else {
                failpoint::reach("definitions made");
                return Ok(Ok(()));
            };
            if is_everybodys(&error) {
                return Err(error.into());
            }
            self.target.batch("ROLLBACK").await?;
            // Apply locks the same tables meanwhile, in another order.
            if error.sqlstate() != Some("40P01") || attempt == DEADLOCKS {
                return Ok(Err(error));
            }
            tracing::warn!("making definitions: {error}; trying again");
            tokio::time::sleep(backoff.next_wait()).await;
        }
        Ok(Ok(()))
    }
}

/// A script that pg_restore is writing.
struct Ahead {
    dump_ids: Vec<u32>,
    script: JoinHandle<Result<String, SchemaError>>,
}

impl Ahead {
    fn is_for(&self, chunk: &[Entry]) -> bool {
        let wanted = chunk.iter().map(|entry| entry.dump_id);
        wanted.eq(self.dump_ids.iter().copied())
    }

    async fn finish(self) -> Result<String, RestoreError> {
        let script = self.script.await;
        Ok(script.map_err(|error| RestoreError::Thread(error.to_string()))??)
    }
}

/// `entries` in pieces of at most `size`, the last piece first.
fn chunks(entries: Vec<Entry>, size: usize) -> Vec<Vec<Entry>> {
    let mut pieces = Vec::new();
    let mut rest = entries;
    while rest.len() > size {
        let tail = rest.split_off(size);
        pieces.push(std::mem::replace(&mut rest, tail));
    }
    pieces.push(rest);
    pieces.reverse();
    pieces
}

/// `chunk` without what needs one of `missing`, which is then missing too.
fn without_dependents(mut chunk: Vec<Entry>, missing: &mut HashSet<u32>) -> Vec<Entry> {
    if missing.is_empty() {
        return chunk;
    }
    chunk.retain(|entry| {
        let can_be_made = !entry.depends.iter().any(|other| missing.contains(other));
        if !can_be_made {
            missing.insert(entry.dump_id);
        }
        can_be_made
    });
    chunk
}

fn dump_ids(entries: &[Entry]) -> Vec<u32> {
    entries.iter().map(|entry| entry.dump_id).collect()
}

/// The script of one entry without the settings before it.
fn of_entry(script: &str) -> &str {
    script
        .find("\n--\n-- Name: ")
        .map_or(script, |at| &script[at..])
}

/// Whether it has nothing to do with the definition: the connection, the server, its disk.
fn is_everybodys(error: &pg::Error) -> bool {
    match error {
        pg::Error::Server(error) => {
            let code = error.sqlstate.as_str();
            error.is_fatal()
                || code.starts_with("57")
                || code == "58030"
                || (code.starts_with("53") && code != OUT_OF_MEMORY)
        }
        _ => true,
    }
}

/// SQLSTATE out_of_memory: of shared memory too, when a transaction takes more locks than there
/// is room for. Half of it may fit.
const OUT_OF_MEMORY: &str = "53200";

/// Whether one entry alone is refused for what it is.
fn is_about_entry(error: &pg::Error) -> bool {
    error.sqlstate() != Some(OUT_OF_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dump_id: u32, depends: &[u32]) -> Entry {
        Entry {
            dump_id,
            object: (1259, dump_id),
            what: "TABLE public t postgres".to_owned(),
            depends: depends.to_vec(),
        }
    }

    #[test]
    fn chunks_keep_the_order_and_are_taken_from_the_end() {
        let entries: Vec<_> = (1..=5).map(|id| entry(id, &[])).collect();
        let pieces: Vec<_> = chunks(entries, 2).iter().map(|c| dump_ids(c)).collect();
        assert_eq!(pieces, [vec![5], vec![3, 4], vec![1, 2]]);
    }

    #[test]
    fn what_needs_something_missing_is_not_tried_nor_what_needs_that() {
        let chunk = vec![entry(2, &[1]), entry(3, &[2]), entry(4, &[])];
        let mut missing = HashSet::from([1]);
        let left = without_dependents(chunk, &mut missing);
        assert_eq!(dump_ids(&left), [4]);
        assert_eq!(missing, HashSet::from([1, 2, 3]));
    }

    #[test]
    fn a_full_disk_or_a_lost_connection_is_not_blamed_on_a_definition() {
        let refused = |sqlstate: &str| {
            pg::Error::from(pg::ServerError {
                severity: "ERROR".into(),
                sqlstate: sqlstate.into(),
                ..pg::ServerError::default()
            })
        };
        assert!(is_everybodys(&pg::Error::Lost(None)));
        for code in ["53100", "57P01", "58030"] {
            assert!(is_everybodys(&refused(code)), "{code}");
        }
        for code in ["42501", "42704", "58P01", "53200"] {
            assert!(!is_everybodys(&refused(code)), "{code}");
        }
        assert!(!is_about_entry(&refused("53200")));
    }
}
