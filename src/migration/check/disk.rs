//! This machine: client programs, the work directory, and room for changes.

use std::path::Path;
use std::time::Duration;

use nix::sys::statvfs::statvfs;

use crate::base::cause::chain;
use crate::base::quantity::{ByteSize, display_duration};
use crate::clone::programs::Programs;
use crate::migration::error::MigrationError;

use super::finding::{Findings, Place, Verdict};
use super::look::{Config, Scene};

/// Segments should have room for so long without anybody looking: a night and a morning.
const HOURS: u64 = 24;

/// Beyond that nobody counts.
const DAYS_TOLD: u64 = 100;

/// With less than this, some minutes of a busy source fill the disk.
const LEAST: u64 = 1 << 30;

/// What a disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) free: u64,
}

/// The room of the disk that `path` is on, or would be; none where the system does not say.
pub(super) fn room_of(path: &Path) -> Option<Room> {
    let there = path.ancestors().find(|path| path.exists())?;
    // Network file systems may not say how large they are, and /proc is no disk.
    let found = statvfs(there).ok().filter(|found| found.blocks() > 0)?;
    Some(Room {
        free: found.blocks_available() * found.fragment_size(),
    })
}

/// What needs no server.
pub(super) fn folder(config: &Config, found: &mut Findings) {
    const ID: &str = "work-dir";
    let work_dir = &config.work_dir;
    let place = work_dir.root.display();
    match (work_dir.has_begun(), work_dir.check()) {
        (true, _) => found.fail(
            ID,
            Place::Here,
            format!("{place} holds a migration already"),
            "go on with it (--resume), begin it anew (--restart), or name another folder with --dir",
        ),
        (false, Err(error)) => found.fail(
            ID,
            Place::Here,
            chain(&error),
            "name another folder with --dir",
        ),
        (false, Ok(())) => found.pass(ID, Place::Here, format!("{place} holds nothing yet")),
    }
}

/// What the servers must be asked for.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    programs(scene, found);
    if scene.config.follow.is_some() {
        segments(scene, found).await?;
    }
    Ok(())
}

fn programs(scene: &Scene<'_>, found: &mut Findings) {
    const ID: &str = "client-programs";
    match Programs::find(scene.source.major()) {
        Ok(programs) => found.pass(
            ID,
            Place::Here,
            format!("pg_dump and pg_restore of PostgreSQL {}", programs.major),
        ),
        Err(error) => {
            let error = MigrationError::from(error);
            found.fail(
                ID,
                Place::Here,
                error.to_string(),
                error.hint().unwrap_or_default(),
            );
        }
    }
}

async fn segments(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "segment-space";
    let folder = &scene.config.work_dir.cdc;
    let Some(room) = room_of(folder) else {
        found.unseen(
            ID,
            Place::Here,
            format!("the room of {} could not be seen", folder.display()),
            "see by hand that it has room for the changes of a day",
        );
        return Ok(());
    };
    let rate = rate(scene).await?;
    let free = ByteSize(room.free);
    let limit = scene.config.follow.as_ref().and_then(|one| one.disk_limit);
    let (verdict, lasts) = of_room(free, limit, rate);
    let text = format!("{free} are free in {}{lasts}", folder.display());
    let hint = "name another folder with --dir; or say --cdc-disk-limit and --compress-segments";
    match verdict {
        Verdict::Pass => found.pass(ID, Place::Here, text),
        Verdict::Warn => found.warn(ID, Place::Here, text, hint),
        Verdict::Fail => found.fail(ID, Place::Here, text, hint),
    }
    Ok(())
}

/// The WAL that the source writes in a second, since its statistics began; none where it does not
/// count it, which servers do from 14 on. What was written in less than ten minutes says little: it
/// counts as if it had been in ten.
async fn rate(scene: &Scene<'_>) -> Result<Option<u64>, MigrationError> {
    if scene.source.major() < 14 {
        return Ok(None);
    }
    let sql =
        "SELECT (wal_bytes / greatest(extract(epoch FROM now() - stats_reset), 600)::numeric)::bigint
                 FROM pg_stat_wal WHERE stats_reset IS NOT NULL";
    match scene.source.session.query_opt(sql, &[]).await {
        Ok(row) => Ok(row.and_then(|row| u64::try_from(row.get::<_, i64>(0)).ok())),
        Err(error) if error.sqlstate().is_some() => Ok(None),
        Err(error) => Err(scene.source.on("asking how much WAL it writes")(error)),
    }
}

/// How long what is `free` lasts, if `rate` bytes come each second: the end of a line. Segments that stop
/// at a `limit` need no more than that.
pub(super) fn of_room(
    free: ByteSize,
    limit: Option<ByteSize>,
    rate: Option<u64>,
) -> (Verdict, String) {
    if let Some(limit) = limit.filter(|limit| limit.0 <= free.0) {
        return (
            Verdict::Pass,
            format!(", and segments take {limit} at most"),
        );
    }
    let lasts = rate.and_then(|rate| free.0.checked_div(rate));
    let text = match lasts {
        None => String::new(),
        Some(seconds) if seconds > DAYS_TOLD * 24 * 3600 => {
            format!(", more than {DAYS_TOLD} days of the source's WAL")
        }
        Some(seconds) => format!(
            ", {} of the source's WAL if it goes on as so far",
            display_duration(Duration::from_secs(seconds))
        ),
    };
    let verdict = match lasts {
        _ if free.0 < LEAST => Verdict::Fail,
        Some(seconds) if seconds < HOURS * 3600 => Verdict::Warn,
        _ => Verdict::Pass,
    };
    (verdict, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_should_last_for_a_day() {
        let of = |free: u64, rate| of_room(ByteSize(free), None, rate).0;
        assert_eq!(of(LEAST - 1, None), Verdict::Fail);
        assert_eq!(of(LEAST, None), Verdict::Pass);
        assert_eq!(of(LEAST, Some(0)), Verdict::Pass);
        assert_eq!(of(LEAST, Some(LEAST)), Verdict::Warn);
        assert_eq!(of(86_400 * LEAST, Some(LEAST)), Verdict::Pass);
    }

    #[test]
    fn segments_with_a_limit_need_room_for_that() {
        let of = |free: u64, limit| of_room(ByteSize(free), Some(ByteSize(limit)), Some(LEAST)).0;
        assert_eq!(of(1000, 1000), Verdict::Pass);
        assert_eq!(of(1000, 1001), Verdict::Fail);
        assert_eq!(of(LEAST, 2 * LEAST), Verdict::Warn);
    }

    #[test]
    fn the_disk_of_a_folder_that_is_still_to_be_made_is_that_of_its_parent() {
        assert!(room_of(Path::new("/nowhere/to/be/found")).is_some_and(|room| room.free > 0));
        assert_eq!(room_of(Path::new("/proc/nowhere")), None);
    }
}
