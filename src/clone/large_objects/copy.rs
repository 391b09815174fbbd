//! The copy: every range that is not in the ledger, under one snapshot.

use std::sync::Mutex;
use std::sync::mpsc::SyncSender;

use crate::catalog::ledger;
use crate::pg::{self, Session};

use super::ranges::{self, OidRange};
use super::source::{Reader, TOGETHER};
use super::transfer::{Moved, reading, transfer, writing};
use super::workers::{Sessions, in_parallel, lock};
use super::{Config, LargeObjectError};

/// A transaction is committed once it holds this much: what a kill may cost.
const COMMIT_BYTES: u64 = 64 * 1024 * 1024;

/// The same in objects.
const COMMIT_OBJECTS: u64 = 1024;

/// How the copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Objects copied by this call.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Everything is there; else it was asked to stop before.
    pub complete: bool,
}

/// Notes which objects are on the target before the copy begins: they are not ours to remove.
pub async fn note_kept(target: &Session) -> Result<(), pg::Error> {
    let sql = "INSERT INTO pgflit.kept_large_object
               SELECT m.oid FROM pg_largeobject_metadata m
                WHERE NOT EXISTS (SELECT FROM pgflit.large_objects)
               ON CONFLICT DO NOTHING";
    target.batch(sql).await
}

/// Copies what is not there yet. Says `ready` once the snapshot is held by a session of its own, so
/// that who had exported it may let go.
pub fn copy(config: &Config, ready: &SyncSender<()>) -> Result<Copied, LargeObjectError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| LargeObjectError::Thread(error.to_string()))?;
    let planned = runtime.block_on(async {
        tokio::select! {
            planned = plan(config) => planned.map(Some),
            () = config.shutdown.overdue() => Ok(None),
        }
    })?;
    let moved = Mutex::new(Moved::default());
    if let Some((_keeper, config, ranges)) = planned {
        // Nobody waits who has gone.
        let _ = ready.send(());
        in_parallel(&config, ranges, async |sessions, range| {
            copy_range(&config, sessions, range, &moved).await
        })?;
    }
    let moved = *lock(&moved);
    Ok(Copied {
        objects: moved.objects,
        bytes: moved.bytes,
        complete: !config.shutdown.asked(),
    })
}

/// Who holds the snapshot, under which id it is imported, and what is left to copy.
async fn plan(config: &Config) -> Result<(Reader, Config, Vec<OidRange>), LargeObjectError> {
    const ALL: OidRange = OidRange {
        first: 0,
        last: u32::MAX,
    };
    let reading = reading(ALL);
    let keeper = Reader::open(&config.source, config.snapshot_id.as_deref())
        .await
        .map_err(&reading)?;
    let snapshot_id = keeper.export().await.map_err(&reading)?;
    let (count, starts) = keeper.range_starts().await.map_err(&reading)?;
    let done = async {
        let target = Session::connect(&config.target, "large objects").await?;
        ledger::large_objects(&target).await
    };
    let done: Vec<_> = done
        .await
        .map_err(writing(ALL))?
        .into_iter()
        .map(|(first, last)| OidRange { first, last })
        .collect();
    if count > 0 {
        tracing::info!("{count} large objects to copy");
    }
    let ranges = match count {
        0 => Vec::new(),
        _ => ranges::without(&ranges::cut(&starts), &done),
    };
    let config = Config {
        snapshot_id: Some(snapshot_id),
        ..config.clone()
    };
    Ok((keeper, config, ranges))
}

/// Copies what of `range` is not in the ledger: all of it, unless this is not the first attempt.
async fn copy_range(
    config: &Config,
    sessions: &Sessions,
    range: OidRange,
    all: &Mutex<Moved>,
) -> Result<(), LargeObjectError> {
    let Sessions { reader, writer } = sessions;
    let failed = writing(range);
    let done = ledger::large_objects_until(&writer.session, range.first, range.last).await;
    let mut next = match done.map_err(&failed)? {
        Some(last) if last >= range.last => return Ok(()),
        Some(last) => last + 1,
        None => range.first,
    };
    loop {
        writer.begin().await.map_err(&failed)?;
        let begun = next;
        let mut moved = Moved::default();
        let ends = loop {
            let left = OidRange {
                first: next,
                last: range.last,
            };
            let objects = reader.objects(left).await.map_err(reading(left))?;
            let part = transfer(reader, writer, &objects, config.replace).await?;
            moved.objects += part.objects;
            moved.bytes += part.bytes;
            let last = objects.last().map_or(range.last, |object| object.oid);
            if (objects.len() as i64) < TOGETHER || last == range.last {
                break range.last;
            }
            if config.shutdown.asked() {
                return writer.roll_back().await.map_err(&failed);
            }
            if moved.bytes >= COMMIT_BYTES || moved.objects >= COMMIT_OBJECTS {
                break last;
            }
            next = last + 1;
        };
        let committed = OidRange {
            first: begun,
            last: ends,
        };
        writer.commit(Some(committed)).await.map_err(&failed)?;
        let mut all = lock(all);
        all.objects += moved.objects;
        all.bytes += moved.bytes;
        if ends == range.last || config.shutdown.asked() {
            return Ok(());
        }
        next = ends + 1;
    }
}
