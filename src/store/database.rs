//! Opening the file and bringing it to this version.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::base::Remedy;
use crate::base::shutdown::POLL;

/// The versions, in order; `PRAGMA user_version` is how many are applied.
const MIGRATIONS: [&str; 14] = [
    include_str!("../../migrations/0001_store.sql"),
    include_str!("../../migrations/0002_base_copy.sql"),
    include_str!("../../migrations/0003_filters.sql"),
    include_str!("../../migrations/0004_conflicts.sql"),
    include_str!("../../migrations/0005_pruned.sql"),
    include_str!("../../migrations/0006_key_ranges.sql"),
    include_str!("../../migrations/0007_standbys.sql"),
    include_str!("../../migrations/0008_identities.sql"),
    include_str!("../../migrations/0009_columns.sql"),
    include_str!("../../migrations/0010_partitions.sql"),
    include_str!("../../migrations/0011_cutovers.sql"),
    include_str!("../../migrations/0012_compare_hold.sql"),
    include_str!("../../migrations/0013_samples.sql"),
    include_str!("../../migrations/0014_backlog.sql"),
];

/// The version this program writes.
const LATEST: u32 = MIGRATIONS.len() as u32;

/// Others hold the file for milliseconds; longer than this something is wrong.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for somebody who only looks, and whom others wait for.
const LOOK_TIMEOUT: Duration = Duration::from_millis(200);

/// Pages that are copied in one go: more than a store of tens of thousands of tables has.
const PAGES: i32 = i32::MAX;

/// The store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none at this place.
    #[error("there is no migration in {}", .0.display())]
    Missing(PathBuf),
    /// Written by a later pgflit.
    #[error("{} was written by a newer pgflit (store version {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The last this program knows.
        known: u32,
    },
    /// SQLite refused.
    #[error("{doing} in the store {}", path.display())]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// What is stored is not what this version writes.
    #[error("{} holds \"{value}\" for {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which value.
        what: &'static str,
        /// The value.
        value: String,
    },
}

impl Error {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Error::Missing(_) => Remedy::FixArguments,
            Error::Newer { .. } => Remedy::AskOperator,
            Error::Sqlite { .. } => Remedy::AskOperator,
            Error::Value { .. } => Remedy::Bug,
        }
    }
}

/// An open store. One connection; not shared between threads.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store at `path`, makes it if it is not there, and brings it to this version.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut store = Self::open_with(path, flags)?;
        store.upgrade()?;
        Ok(store)
    }

    /// Opens a store that is there, and brings it to this version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            let folder = path.parent().unwrap_or(path);
            return Err(Error::Missing(folder.to_owned()));
        }
        let mut store = Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match store.version()? {
            // Whoever began to make it was stopped, or is about to go on.
            0 => Err(Error::Missing(path.parent().unwrap_or(path).to_owned())),
            _ => {
                store.upgrade()?;
                Ok(store)
            }
        }
    }

    /// Opens a store to look at it and nothing else: nothing is made or upgraded, and whoever writes
    /// is not waited for longer than a moment. None if there is none of this version.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn look(path: &Path) -> Result<Option<Self>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let failed = |source| Error::Sqlite {
            doing: "opening",
            path: path.to_owned(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(LOOK_TIMEOUT).map_err(failed)?;
        let store = Self {
            connection,
            path: path.to_owned(),
        };
        Ok((store.version()? == LATEST).then_some(store))
    }

    /// As [`Store::look`], also where an older version has written it: a copy of it in memory is
    /// brought to this one, and the file stays as it is. Nothing is put beside it either, as SQLite
    /// does even to read, where nobody has it open.
    ///
    /// # Errors
    /// SQLite refuses, or a newer version has written it.
    pub fn look_at_any(path: &Path) -> Result<Option<Self>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let connection = match Self::unopened(path)? {
            Some(copy) => copy,
            None => match Self::look(path)? {
                Some(store) => return Ok(Some(store)),
                None => {
                    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                    let file = Connection::open_with_flags(path, flags);
                    let copied = file.and_then(|file| in_memory(&file));
                    copied.map_err(|source| Self::not_opened(path, source))?
                }
            },
        };
        let mut store = Self {
            connection,
            path: path.to_owned(),
        };
        match store.version()? {
            // Whoever began to make it was stopped, or is about to go on.
            0 => Ok(None),
            _ => {
                store.upgrade()?;
                Ok(Some(store))
            }
        }
    }

    /// A copy in memory of a store that nobody has open; none if somebody has, or had while it was
    /// copied. Whoever opens it to write makes the write-ahead log first, and removes it last.
    fn unopened(path: &Path) -> Result<Option<Connection>, Error> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let seen = || {
            let file = std::fs::metadata(path).ok().filter(|_| !log.exists())?;
            Some((file.len(), file.modified().ok()?))
        };
        let Some(before) = seen() else {
            return Ok(None);
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let file = Connection::open_with_flags(immutable(path), flags);
        let copied = file.and_then(|file| in_memory(&file));
        match seen() == Some(before) {
            true => copied
                .map(Some)
                .map_err(|source| Self::not_opened(path, source)),
            false => Ok(None),
        }
    }

    fn not_opened(path: &Path, source: rusqlite::Error) -> Error {
        Error::Sqlite {
            doing: "opening",
            path: path.to_owned(),
            source,
        }
    }

    /// For a process that only reports positions: after a power cut its last few reports may be
    /// missing, which costs nothing, and no report waits for the disk.
    pub fn reporting_only(self) -> Result<Self, Error> {
        self.read("opening", |connection| {
            connection.execute_batch("PRAGMA synchronous = NORMAL;")
        })?;
        Ok(self)
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        let failed = |source| Error::Sqlite {
            doing: "opening",
            path: path.to_owned(),
            source,
        };
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        write_ahead(&connection).map_err(failed)?;
        connection
            .execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;")
            .map_err(failed)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    fn version(&self) -> Result<u32, Error> {
        self.read("reading the version", |connection| {
            connection.query_row("PRAGMA user_version", [], |row| row.get(0))
        })
    }

    fn newer(&self, found: u32) -> Error {
        Error::Newer {
            path: self.path.clone(),
            found,
            known: LATEST,
        }
    }

    fn upgrade(&mut self) -> Result<(), Error> {
        let found = self.version()?;
        if found > LATEST {
            return Err(self.newer(found));
        }
        for (version, sql) in (1..).zip(MIGRATIONS).skip(found as usize) {
            self.write("upgrading", |transaction| {
                // Another process may have done it meanwhile.
                let found: u32 =
                    transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
                if found >= version {
                    return Ok(());
                }
                transaction.execute_batch(sql)?;
                transaction.pragma_update(None, "user_version", version)
            })?;
        }
        Ok(())
    }

    /// Runs `work` on the connection, naming what was being done if it fails.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        work(&self.connection).map_err(|source| self.failed(doing, source))
    }

    /// Runs `work` in one short transaction that has the write lock from its beginning.
    pub(super) fn write<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let done = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = work(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        done.map_err(|source| self.failed(doing, source))
    }

    fn failed(&self, doing: &'static str, source: rusqlite::Error) -> Error {
        Error::Sqlite {
            doing,
            path: self.path.clone(),
            source,
        }
    }

    /// Reads a stored text as a value of ours.
    pub(super) fn parse<T: std::str::FromStr>(
        &self,
        what: &'static str,
        text: String,
    ) -> Result<T, Error> {
        text.parse().map_err(|_| self.unknown(what, text))
    }

    /// A stored value is not one that this version writes.
    pub(super) fn unknown(&self, what: &'static str, value: String) -> Error {
        Error::Value {
            path: self.path.clone(),
            what,
            value,
        }
    }
}

/// All of `file`, in memory.
fn in_memory(file: &Connection) -> rusqlite::Result<Connection> {
    file.busy_timeout(LOOK_TIMEOUT)?;
    let mut copy = Connection::open_in_memory()?;
    Backup::new(file, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    Ok(copy)
}

/// The file at `path`, as SQLite calls one that nobody changes: it then looks for nothing beside it.
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri + "?immutable=1"
}

/// Now, as the store keeps times: seconds since 1970.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Switches the file to WAL mode, which it keeps. While another does the same, SQLite answers
/// "busy" at once, whatever the timeout is.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                thread::sleep(POLL);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let store = Store::create(&path).expect("made");
        store
            .connection
            .pragma_update(None, "user_version", 99)
            .expect("set");
        drop(store);
        for opened in [Store::create(&path), Store::open(&path)] {
            assert!(matches!(opened, Err(Error::Newer { found: 99, .. })));
        }
    }

    #[test]
    fn a_store_of_an_older_version_is_upgraded_by_whoever_opens_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let old = Connection::open(&path).expect("made");
        for sql in &MIGRATIONS[..3] {
            old.execute_batch(sql).expect("an old version");
        }
        old.pragma_update(None, "user_version", 3).expect("set");
        drop(old);
        let openers: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || Store::open(&path).expect("upgraded").version())
            })
            .collect();
        for opener in openers {
            assert_eq!(opener.join().expect("opened").expect("read"), LATEST);
        }
    }

    #[test]
    fn who_looks_at_a_store_that_nobody_has_open_puts_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a ?#%41 store.db");
        let names = || {
            let entries = std::fs::read_dir(folder.path()).expect("a folder");
            entries.count()
        };
        let store = Store::create(&path).expect("made");
        let look = || Store::look_at_any(&path).expect("looked at").is_some();
        assert!(look() && names() > 1, "it is open");
        drop(store);
        assert_eq!(names(), 1);
        assert!(look());
        assert_eq!(names(), 1);
    }

    #[test]
    fn who_looks_at_an_older_store_leaves_it_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let look = || Store::look_at_any(&path).expect("looked at");
        assert!(look().is_none());
        let old = Connection::open(&path).expect("made");
        assert!(look().is_none(), "nothing is in it yet");
        for (version, sql) in (1..=3).zip(MIGRATIONS) {
            old.execute_batch(sql).expect("an old version");
            old.pragma_update(None, "user_version", version)
                .expect("set");
            let sentinel = look().expect("there").sentinel();
            assert_eq!(sentinel.expect("read"), Default::default());
        }
        drop(old);
        let store = Connection::open(&path).expect("there");
        let found: u32 = store
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .expect("read");
        assert_eq!(found, 3);
        store
            .pragma_update(None, "user_version", 99)
            .expect("a newer one");
        let newer = Store::look_at_any(&path);
        assert!(matches!(newer, Err(Error::Newer { found: 99, .. })));
    }

    #[test]
    fn a_store_that_another_is_making_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let other = Connection::open(&path).expect("made");
        other.execute_batch("BEGIN IMMEDIATE").expect("begun");
        let (send, opened) = std::sync::mpsc::channel();
        let opener = thread::spawn(move || send.send(Store::create(&path).map(|_| ())));
        let brief = Duration::from_millis(200);
        let early = opened.recv_timeout(brief);
        assert!(early.is_err(), "not waited for: {early:?}");
        other.execute_batch("COMMIT").expect("committed");
        let late = opened.recv_timeout(BUSY_TIMEOUT).expect("an answer");
        late.expect("opened");
        opener.join().expect("ended").expect("told");
    }

    #[test]
    fn looking_makes_and_changes_nothing_and_waits_for_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        assert!(Store::look(&path).expect("nothing").is_none());
        assert!(!path.exists());
        let mut store = Store::create(&path).expect("made");
        let looking = Store::look(&path).expect("opened").expect("there");
        assert_eq!(looking.sentinel().expect("read"), Default::default());
        store
            .write("being busy", |_| {
                let meanwhile = Store::look(&path).expect("opened").expect("there");
                assert!(!meanwhile.sentinel().expect("read").apply);
                Ok(())
            })
            .expect("written");
        let mut looking = Store::look(&path).expect("opened").expect("there");
        looking.set_apply(true).expect_err("it only looks");
        store
            .connection
            .pragma_update(None, "user_version", 3)
            .expect("set");
        assert!(Store::look(&path).expect("opened").is_none());
    }

    #[test]
    fn a_missing_store_is_not_made_by_looking() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        assert!(matches!(Store::open(&path), Err(Error::Missing(_))));
        assert!(!path.exists());
    }
}
