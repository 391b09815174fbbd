//! How the servers are set up, as far as a migration depends on it.

use std::collections::HashMap;

use crate::base::Side;
use crate::base::quantity::{ByteSize, display_duration, parse_duration};
use crate::catalog::discovery;
use crate::migration::error::MigrationError;
use crate::migration::{lock_room, preflight};

use super::finding::{Effect, Findings, Fix};
use super::look::{Looked, Scene, on};
use crate::pg::Session;

/// Slots and WAL senders that a fix makes room for: the migration's, and one on the way back.
const ROOM: i64 = 4;

/// A slot may hold less WAL than this only where somebody watches it: some minutes of a busy source.
const SLOT_WAL_MIN: u64 = 50 << 30;

/// A sender that hears nothing for less than this is ended while the target is only slow.
const SENDER_TIMEOUT_MIN: u64 = 10_000;

/// The settings of a server that are looked at, by name, as a new session has them and in the units of
/// `pg_settings`; those that it does not have, or does not show, are left out.
#[derive(Debug)]
pub(super) struct Settings(HashMap<String, String>);

const NAMES: [&str; 8] = [
    "default_transaction_read_only",
    "fsync",
    "full_page_writes",
    "idle_replication_slot_timeout",
    "max_slot_wal_keep_size",
    "temp_file_limit",
    "track_counts",
    "wal_sender_timeout",
];

impl Settings {
    pub(super) async fn of(session: &Session, side: Side) -> Result<Self, MigrationError> {
        let sql = "SELECT name, coalesce(reset_val, setting, '') FROM pg_settings
                    WHERE name = ANY ($1)";
        let rows = session.query(sql, &[&&NAMES[..]]).await;
        let rows = rows.map_err(on(side, "looking at its settings"))?;
        Ok(Self(
            rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
        ))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    /// Those that are off of what keeps a server safe from crashes.
    pub(super) fn not_durable(&self) -> Vec<&'static str> {
        let mut names = vec!["fsync", "full_page_writes"];
        names.retain(|name| self.is(name, "off"));
        names
    }

    /// Whether new sessions may only read.
    pub(super) fn is_read_only(&self) -> bool {
        self.is("default_transaction_read_only", "on")
    }
}

/// Parameters of a server that are set anew and wait for its restart.
pub(super) async fn pending(looked: &Looked) -> Result<Vec<String>, MigrationError> {
    let sql = "SELECT name FROM pg_settings WHERE pending_restart";
    let rows = looked.session.query(sql, &[]).await;
    let rows = rows.map_err(looked.on("looking at its settings"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Looks at both.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let follows = scene.config.follow.is_some();
    if let Some(settings) = found.seen(
        "slot-wal-limit",
        Side::Source,
        Settings::of(&scene.source.session, Side::Source).await,
    )? && follows
    {
        capture(&scene.source, found)?;
        kept_wal(&scene.source, &settings, found);
        timeouts(&scene.source, &settings, found);
        statistics(&scene.source, &settings, found);
    }
    locks(scene, found).await?;
    if let Some(settings) = found.seen(
        "durability",
        Side::Target,
        Settings::of(&scene.target.session, Side::Target).await,
    )? {
        if follows {
            way_back(&scene.target, found);
        }
        durability(&scene.target, &settings, found);
        temporary_files(&scene.target, &settings, found);
        read_only(&settings, found);
    }
    Ok(())
}

/// What an administrator may do here; others have no fix, and the hint says it all.
fn system(looked: &Looked, name: &str, value: &str, effect: Effect) -> Option<Fix> {
    looked
        .is_superuser
        .then(|| Fix::system(looked.side, name, value, effect))
}

fn capture(looked: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    let server = &looked.server;
    let asked = preflight::check_wal_level(server);
    found.unless_refused("wal-level", looked.side, "wal_level = logical", asked)?;
    found.mended_by(system(looked, "wal_level", "logical", Effect::Restart));
    let free = |(most, taken): (i64, i64), what: &str| {
        format!("{} of {most} {what} are free", (most - taken).max(0))
    };
    let text = free(server.slots, "replication slots");
    let asked = preflight::check_slot_room(server);
    found.unless_refused("slots", looked.side, text, asked)?;
    let more = (server.slots.0 + ROOM).to_string();
    found.mended_by(system(
        looked,
        "max_replication_slots",
        &more,
        Effect::Restart,
    ));
    let text = free(server.wal_senders, "WAL senders");
    let asked = preflight::check_sender_room(server);
    found.unless_refused("wal-senders", looked.side, text, asked)?;
    let more = (server.wal_senders.0 + ROOM).to_string();
    found.mended_by(system(looked, "max_wal_senders", &more, Effect::Restart));
    Ok(())
}

fn kept_wal(looked: &Looked, settings: &Settings, found: &mut Findings) {
    const ID: &str = "slot-wal-limit";
    // In megabytes; -1 for no limit.
    let limit = settings.number("max_slot_wal_keep_size").unwrap_or(-1);
    let limit = u64::try_from(limit).ok().map(|megabytes| megabytes << 20);
    let idle = settings
        .number("idle_replication_slot_timeout")
        .unwrap_or(0);
    match limit {
        Some(limit) if limit < SLOT_WAL_MIN => {
            found.warn(
                ID,
                looked.side,
                format!(
                    "max_slot_wal_keep_size = {}: a slot that falls further behind is lost, and the \
                     migration with it",
                    ByteSize(limit)
                ),
                "raise it, or set it to -1, until traffic is moved; and watch the source's disk",
            );
            found.mended_by(system(
                looked,
                "max_slot_wal_keep_size",
                "-1",
                Effect::Reload,
            ));
        }
        _ if idle > 0 => {
            found.warn(
                ID,
                looked.side,
                format!(
                    "idle_replication_slot_timeout = {idle}: the slot is lost if pgflit is stopped for \
                     longer"
                ),
                "set it to 0 until traffic is moved",
            );
            found.mended_by(system(
                looked,
                "idle_replication_slot_timeout",
                "0",
                Effect::Reload,
            ));
        }
        Some(limit) => found.pass(
            ID,
            looked.side,
            format!("a slot may hold {} of WAL", ByteSize(limit)),
        ),
        None => found.pass(ID, looked.side, "a slot may hold as much WAL as it needs"),
    }
}

fn timeouts(looked: &Looked, settings: &Settings, found: &mut Findings) {
    const ID: &str = "wal-sender-timeout";
    let timeout = settings.number("wal_sender_timeout").unwrap_or_default();
    let shown = parse_duration(&format!("{timeout}ms")).map(display_duration);
    let shown = shown.unwrap_or_default();
    let problem = match u64::try_from(timeout).unwrap_or_default() {
        0 => {
            "wal_sender_timeout = 0: a sender whose network is gone is never ended, and keeps the slot \
             from whoever resumes"
                .to_owned()
        }
        timeout if timeout < SENDER_TIMEOUT_MIN => {
            format!("wal_sender_timeout = {shown}: streaming is ended by any short delay")
        }
        _ => return found.pass(ID, looked.side, format!("wal_sender_timeout = {shown}")),
    };
    found.warn(ID, looked.side, problem, "set it to a minute, the default");
    found.mended_by(system(
        looked,
        "wal_sender_timeout",
        "'1min'",
        Effect::Reload,
    ));
}

fn statistics(looked: &Looked, settings: &Settings, found: &mut Findings) {
    const ID: &str = "statistics";
    match settings.is("track_counts", "off") {
        false => found.pass(ID, looked.side, "the source counts what is changed"),
        true => {
            found.fail(
                ID,
                looked.side,
                "track_counts = off: an update of a table without replica identity would not be noticed",
                "set track_counts = on until traffic is moved",
            );
            found.mended_by(system(looked, "track_counts", "on", Effect::Reload));
        }
    }
}

async fn locks(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "locks";
    let source = &scene.source;
    let doing = "looking at its locks";
    let room = lock_room::room(&source.session)
        .await
        .map_err(source.on(doing));
    let left_out = scene.selection.schemas();
    let tables = discovery::lockable_tables(&source.session, left_out).await;
    let tables = tables.map_err(source.on(doing));
    let (Some(room), Some(tables)) = (
        found.seen(ID, Side::Source, room)?,
        found.seen(ID, Side::Source, tables)?,
    ) else {
        return Ok(());
    };
    let count = tables.len() as u64;
    match count <= room.locks {
        true => found.pass(
            ID,
            Side::Source,
            format!(
                "there is room for the locks of pg_dump ({count} of {})",
                room.locks
            ),
        ),
        false => {
            found.warn(ID, Side::Source, room.problem(count), room.hint(count));
            found.mended_by(system(
                source,
                "max_locks_per_transaction",
                &room.enough(count).to_string(),
                Effect::Restart,
            ));
        }
    }
    Ok(())
}

fn way_back(looked: &Looked, found: &mut Findings) {
    const ID: &str = "wal-level";
    if looked.server.wal_level == "logical" {
        return found.pass(ID, looked.side, "wal_level = logical");
    }
    found.warn(
        ID,
        looked.side,
        format!(
            "wal_level = {}: after a cutover there would be no way back",
            looked.server.wal_level
        ),
        "set wal_level = logical on the target and restart it; or move traffic with --no-reverse",
    );
    found.mended_by(system(looked, "wal_level", "logical", Effect::Restart));
}

fn durability(looked: &Looked, settings: &Settings, found: &mut Findings) {
    const ID: &str = "durability";
    let off = settings.not_durable();
    let Some(text) = danger(&off) else {
        return found.pass(ID, looked.side, "what is committed is on disk");
    };
    let hint = "set them on before changes are applied, at the latest before traffic is moved";
    found.warn(ID, looked.side, text, hint);
    let statements = off
        .iter()
        .map(|name| format!("ALTER SYSTEM SET {name} = on"));
    found.mended_by(looked.is_superuser.then(|| Fix {
        side: looked.side,
        statements: statements.collect(),
        effect: Effect::Reload,
    }));
}

/// What a server may suffer whose settings of that name are `off`.
pub(super) fn danger(off: &[&str]) -> Option<String> {
    let are_off = match off {
        [] => return None,
        [only] => format!("{only} is"),
        _ => format!("{} are", off.join(" and ")),
    };
    Some(format!(
        "{are_off} off: a crash may destroy the whole server, and what was applied with it"
    ))
}

fn temporary_files(looked: &Looked, settings: &Settings, found: &mut Findings) {
    const ID: &str = "temp-file-limit";
    // In kilobytes; -1 for no limit.
    let limit = settings.number("temp_file_limit").unwrap_or(-1);
    match u64::try_from(limit) {
        Err(_) => found.pass(ID, looked.side, "index builds may use temporary files"),
        Ok(kilobytes) => {
            found.warn(
                ID,
                looked.side,
                format!(
                    "temp_file_limit = {}: building a large index may be refused",
                    ByteSize(kilobytes << 10)
                ),
                "set it to -1 while indexes are built",
            );
            found.mended_by(system(looked, "temp_file_limit", "-1", Effect::Reload));
        }
    }
}

fn read_only(settings: &Settings, found: &mut Findings) {
    const ID: &str = "read-only";
    match settings.is_read_only() {
        false => found.pass(ID, Side::Target, "takes writes of applications"),
        true => found.warn(
            ID,
            Side::Target,
            "default_transaction_read_only = on: applications cannot write there once they are moved",
            "pgflit writes all the same; take it back before traffic is moved (ALTER DATABASE … RESET, \
             or ALTER SYSTEM RESET)",
        ),
    }
}
