//! The stream in one direction: its work directory, how it is armed, begun and ended.
//!
//! The first one is the migration's own, in `D`. The way back is in `D/reverse`; after a rollback the
//! way there is in `D/forward`; and so on in turns. Each is an ordinary work directory of `pgflit
//! follow`, which can be stopped and resumed like any other.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::config::Config;
use super::error::{CutoverError, on};
use crate::base::{Lsn, QualifiedName, Shutdown, Side};
use crate::catalog::filters::Filters;
use crate::migration::begin;
use crate::migration::identities::{self, At, WithoutIdentity};
use crate::migration::{MigrationError, capture, setup};
use crate::pg::{Address, Session};
use crate::store::{self, Cutover, FOLLOWING_STEP, Lock, LockError, Run, Store, WorkDir};

/// What streams that were started here print, in the log folder.
const OUTPUT: &str = "follow.out";

/// How long the end of a stream is waited for that has nothing left to do.
const END_MAX: Duration = Duration::from_secs(60);

/// How long a stream that was started may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(30);

/// How long the making of a slot may wait for transactions that are running.
const ARM_MAX: Duration = Duration::from_secs(30);

/// What to do where no stream goes back: nothing that would begin the migration anew, which would
/// overwrite what clients write now.
pub(super) const NO_WAY_BACK: &str = "what is written on the target does not return: the way back was given \
     up, by --no-reverse, --by-mirror or finalize; to return, \
     move the database from the target to the source, as a migration of its own in another work directory";

/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One direction.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Where it is.
    pub work_dir: WorkDir,
    /// Where its changes come from.
    pub from: Side,
}

impl Leg {
    /// The one that brings changes to where traffic is to go; `last` is the last move of traffic.
    pub fn current(config: &Config, last: Option<&Cutover>) -> Leg {
        let from = config.to.other();
        match last {
            None => Leg {
                from,
                ..Leg::first(config)
            },
            Some(_) => Leg::of(config, from),
        }
    }

    /// The migration's own.
    pub fn first(config: &Config) -> Leg {
        Leg {
            work_dir: config.work_dir.clone(),
            from: Side::Source,
        }
    }

    /// Whether there is, or was, a stream.
    ///
    /// # Errors
    /// The store refuses.
    pub fn is_followed(&self) -> Result<bool, CutoverError> {
        let run = match self.work_dir.has_begun() {
            true => self.work_dir.open_store()?.run()?,
            false => None,
        };
        Ok(run.is_some_and(|run| run.slot.is_some()))
    }

    /// The one that will bring changes back.
    pub fn back(config: &Config) -> Leg {
        Leg::of(config, config.to)
    }

    fn of(config: &Config, from: Side) -> Leg {
        let name = match from {
            Side::Source => "forward",
            Side::Target => "reverse",
        };
        let root = config.work_dir.root.join(name);
        let cdc = root.join("cdc");
        Leg {
            work_dir: WorkDir::new(root, cdc),
            from,
        }
    }

    /// Whether it is the migration's own, which no cutover has armed.
    pub fn is_first(&self, config: &Config) -> bool {
        self.work_dir.root == config.work_dir.root
    }

    /// What it was begun with.
    ///
    /// # Errors
    /// There is nothing.
    pub fn run(&self) -> Result<Run, CutoverError> {
        let nothing = || {
            let root = self.work_dir.root.display();
            CutoverError::not_ready(
                format!("no changes are followed in {root}"),
                match self.from {
                    Side::Source => {
                        "name the migration's work directory with --dir; begin one with pgflit clone \
                         --follow"
                    }
                    Side::Target => NO_WAY_BACK,
                },
            )
        };
        if !self.work_dir.has_begun() {
            return Err(nothing());
        }
        let run = self.work_dir.open_store()?.run()?;
        run.filter(|run| run.slot.is_some()).ok_or_else(nothing)
    }

    /// Whether it was armed and has not ended.
    ///
    /// # Errors
    /// The store refuses.
    pub fn is_open(&self) -> Result<bool, CutoverError> {
        Ok(self.work_dir.has_begun() && !self.run()?.finished)
    }

    /// Whether somebody streams here.
    pub fn is_running(&self) -> bool {
        self.work_dir.cdc.exists() && Lock::is_held(&self.work_dir.role_lock_path("supervisor"))
    }

    /// Who streams here, or is about to, for people; none if nobody does.
    pub fn who_streams(&self) -> Option<String> {
        let held = |error| match error {
            LockError::Held { .. } => Some(error.to_string()),
            _ => None,
        };
        match begin::nobody_streams(&self.work_dir, Duration::ZERO) {
            Err(MigrationError::Lock(error)) => held(error),
            // One that looks for its servers has no processes yet, or none any more.
            Ok(_) if Lock::is_held(&self.work_dir.lock_path()) => {
                self.work_dir.lock().err().and_then(held)
            }
            _ => None,
        }
    }

    /// Makes slot, publications and work directory, so that only the position is missing. What an
    /// earlier attempt has armed is kept; what an ended stream or half of an arming has left is removed. It
    /// is to carry the
    /// updates of the tables that are `carried` by the stream there, which may need a replica identity.
    ///
    /// # Errors
    /// As [`setup::set_up`].
    pub async fn arm(
        &self,
        (from, to): (&Address, &Address),
        (like, carried): (&Run, HashSet<QualifiedName>),
        shutdown: &Shutdown,
    ) -> Result<(), CutoverError> {
        if self.work_dir.has_begun() {
            match self.work_dir.open_store()?.run()? {
                Some(run) if run.finished => {
                    let _lock = self.work_dir.lock()?;
                    drop_origin((to, self.from.other()), run.origin.as_deref()).await?;
                    begin::remove_files(&self.work_dir)?;
                }
                // Killed while it was armed.
                Some(run) if run.slot_lsn.is_none() => {
                    let session = Session::connect(from, "cutover").await;
                    let session = session.map_err(on(self.from, "opening a session"))?;
                    self.disarm(&session).await?;
                }
                _ => {}
            }
        }
        let suffix = match self.from {
            Side::Source => "forward",
            Side::Target => "reverse",
        };
        let base = base_name(like.slot.as_deref());
        let name = format!("{base}_{suffix}");
        let filters = like.filters.as_deref().unwrap_or_default();
        let filters = Filters::parse("the filters of this migration", filters);
        let config = setup::Config {
            source: from.clone(),
            target: Some(to.clone()),
            work_dir: self.work_dir.clone(),
            slot: name.clone(),
            origin: name.clone(),
            publication: Some(name),
            plugin: "pgoutput".to_owned(),
            endpos: None,
            filters: filters.map_err(MigrationError::from)?,
            without_identity: WithoutIdentity::GiveOnWayBack(carried),
            snapshot: None,
        };
        let setting_up = setup::set_up(&config, shutdown);
        tokio::pin!(setting_up);
        tokio::select! {
            done = &mut setting_up => return match done {
                Ok(_) => Ok(()),
                Err(MigrationError::Stopped) => Err(CutoverError::Stopped),
                Err(error) => Err(self.not_armed(error)),
            },
            () = tokio::time::sleep(ARM_MAX) => {}
        }
        // It takes back what it has made by then.
        shutdown.ask();
        match setting_up.await {
            Ok(_) => Ok(()),
            Err(MigrationError::Stopped) => Err(CutoverError::not_ready(
                format!(
                    "replication slot {} could not be made on the {} within {ARM_MAX:?}: a \
                     transaction is open there",
                    config.slot, self.from
                ),
                "the log names it; wait until it has ended, or end it",
            )),
            Err(error) => Err(self.not_armed(error)),
        }
    }

    fn not_armed(&self, error: MigrationError) -> CutoverError {
        match (error, self.from) {
            (MigrationError::Stopped, _) => MigrationError::Stopped.into(),
            (error, Side::Source) => error.into(),
            (error, Side::Target) => CutoverError::Arm(Box::new(error)),
        }
    }

    /// Takes back what [`Leg::arm`] has made.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn disarm(&self, from: &Session) -> Result<(), CutoverError> {
        if self.work_dir.has_begun() && !self.run()?.finished {
            self.drop_slot(from).await?;
            let _lock = self.work_dir.lock()?;
            begin::remove_files(&self.work_dir)?;
        }
        Ok(())
    }

    /// Everything that commits from `lsn` on is to be applied, and nothing before.
    ///
    /// # Errors
    /// The store refuses.
    pub fn begin_at(&self, lsn: Lsn) -> Result<(), CutoverError> {
        let mut store = self.work_dir.open_store()?;
        let run = store.run()?.unwrap_or_default();
        store.set_run(&Run {
            slot_lsn: Some(lsn),
            ..run
        })?;
        store.set_startpos(lsn)?;
        store.set_apply(true)?;
        Ok(())
    }

    /// Starts it as a process of its own, which stays when this one ends. What it says is in its log.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, (from, to): (&Address, &Address)) -> Result<u32, CutoverError> {
        let log = self.work_dir.log_path();
        let failed = |source| CutoverError::Start {
            what: format!("pgflit follow in {}", self.work_dir.root.display()),
            source,
        };
        std::fs::create_dir_all(&log).map_err(failed)?;
        let output = File::options()
            .create(true)
            .append(true)
            .open(log.join(OUTPUT));
        let output = output.map_err(failed)?;
        let run = self.run()?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(["follow", "--resume", "--progress=off"])
            .arg(format!("--dir={}", self.work_dir.root.display()))
            .args(run.slot.map(|slot| format!("--slot-name={slot}")))
            .args(run.origin.map(|origin| format!("--origin={origin}")))
            .args(run.publication.map(|name| format!("--publication={name}")))
            // In the environment, because everybody sees the arguments of a process.
            .env("PGFLIT_SOURCE_PGURI", from.to_uri())
            .env("PGFLIT_TARGET_PGURI", to.to_uri())
            .stdin(Stdio::null())
            .stdout(Stdio::from(output.try_clone().map_err(failed)?))
            .stderr(Stdio::from(output))
            .process_group(0);
        Ok(command.spawn().map_err(failed)?.id())
    }

    /// Returns once it streams.
    ///
    /// # Errors
    /// It does not in a while.
    pub async fn until_running(&self) -> Result<(), CutoverError> {
        let deadline = Instant::now() + BEGIN_MAX;
        while !self.is_running() {
            if Instant::now() >= deadline {
                let why = self.last_error();
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                return Err(CutoverError::not_ready(
                    format!("nobody streams in {}{why}", self.root().display()),
                    format!(
                        "see why in {}, and go on with it: {}",
                        self.work_dir.log_path().display(),
                        self.resume_hint()
                    ),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// What the process that was started last has said of its end.
    fn last_error(&self) -> Option<String> {
        let said = std::fs::read(self.work_dir.log_path().join(OUTPUT)).ok()?;
        let said = String::from_utf8_lossy(&said);
        let mut errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
        errors.next_back().map(str::to_owned)
    }

    /// How a person resumes it.
    pub fn resume_hint(&self) -> String {
        let (from, to) = (self.from, self.from.other());
        let run = self.run().ok().unwrap_or_default();
        let names = [
            ("slot-name", run.slot),
            ("origin", run.origin),
            ("publication", run.publication),
        ];
        let names = names.into_iter().filter_map(|(option, name)| {
            let name = name?;
            Some(format!(" --{option} {name}"))
        });
        format!(
            "pgflit follow --resume --dir {}{} --source URI-of-the-{from} --target URI-of-the-{to}",
            self.work_dir.root.display(),
            names.collect::<String>()
        )
    }

    /// Ends it at `marker`, up to where everything is on the other side; what else would come at its end
    /// does not. Returns once nobody streams here any more.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(&self, marker: Lsn) -> Result<(), CutoverError> {
        let mut store = self.work_dir.open_store()?;
        // One that has ended keeps its end, by which it is known later whether it had come to it.
        if !store.run()?.is_some_and(|run| run.finished) {
            end_at(&mut store, marker)?;
        }
        let deadline = Instant::now() + END_MAX;
        while !self.is_quiet()? {
            if Instant::now() >= deadline {
                let root = self.work_dir.root.display();
                return Err(CutoverError::not_ready(
                    format!("the stream in {root} does not end within {END_MAX:?}"),
                    "stop it with Ctrl-C or kill -TERM, and run this command again",
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if !store.run()?.is_some_and(|run| run.finished) {
            // Nobody ran: it was at its end.
            store.finish_run()?;
        }
        Ok(())
    }

    /// Whether none of its processes is at work.
    fn is_quiet(&self) -> Result<bool, CutoverError> {
        let run_lock = Lock::is_held(&self.work_dir.lock_path());
        match begin::nobody_streams(&self.work_dir, Duration::ZERO) {
            Ok(_) => Ok(!run_lock),
            Err(MigrationError::Lock(LockError::Held { .. })) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops its slot and publications, once it has ended: nothing needs them, and a slot keeps WAL. Tables
    /// get back the replica identity that they had.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn drop_slot(&self, from: &Session) -> Result<(), CutoverError> {
        let run = self.run()?;
        if let Some(slot) = &run.slot {
            capture::give_up_slot(from, slot).await?;
        }
        if let Some(publication) = &run.publication {
            capture::drop_publications(from, publication).await?;
        }
        // Whoever streamed has done that at its end, unless it was killed.
        identities::put_back(from, &mut self.work_dir.open_store()?, At::Cleanup).await?;
        Ok(())
    }

    /// The store.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn store(&self) -> Result<Store, CutoverError> {
        Ok(self.work_dir.open_store()?)
    }

    /// Its folder.
    pub fn root(&self) -> PathBuf {
        self.work_dir.root.clone()
    }
}

/// Has the stream of `store` end at `marker`, or where it is past that.
fn end_at(store: &mut Store, marker: Lsn) -> Result<(), CutoverError> {
    store.hand_over()?;
    // It may be a keepalive past it; or nothing yet, and zero would be no end.
    let sentinel = store.sentinel()?;
    let reached = sentinel.replay_lsn.max(sentinel.startpos).max(marker);
    if store.set_endpos(reached, true).is_err() {
        let reached = store.sentinel()?.replay_lsn;
        store
            .set_endpos(reached, true)
            .map_err(|error| CutoverError::not_ready(error.to_string(), "run the command again"))?;
    }
    Ok(())
}

/// Whether `work_dir` is that of a stream back or there, which is begun by nobody but whoever moves
/// traffic: until it is decided, it would carry back what the stream there has brought.
///
/// # Errors
/// The store cannot be read.
pub(in crate::migration) fn waits_for_cutover(work_dir: &WorkDir) -> Result<bool, store::Error> {
    let is_name = |name: &OsStr| name == "reverse" || name == "forward";
    let is_below_another = |root: &Path| {
        let above = root
            .parent()
            .map(|above| WorkDir::new(above.to_owned(), above.join("cdc")));
        above.is_some_and(|above| above.has_begun())
    };
    // As it was named, which may be "." or have a link in it.
    let root = work_dir.root.canonicalize();
    let root = root.unwrap_or_else(|_| work_dir.root.clone());
    if !root.file_name().is_some_and(is_name) || !is_below_another(&root) {
        return Ok(false);
    }
    if !work_dir.has_begun() {
        return Ok(true);
    }
    let store = work_dir.open_store()?;
    Ok(!store.step_is_begun(FOLLOWING_STEP)? && !store.sentinel()?.apply)
}

/// Drops the position that an ended stream has left on the side that it wrote to.
pub(super) async fn drop_origin(
    (to, side): (&Address, Side),
    origin: Option<&str>,
) -> Result<(), CutoverError> {
    let Some(origin) = origin else {
        return Ok(());
    };
    let session = Session::connect(to, "cutover").await;
    let session = session.map_err(on(side, "opening a session"))?;
    // Who may use no origins need not be able to drop one where the position is in the table.
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_origin WHERE roname = $1)";
    let failed = on(side, "dropping a replication origin");
    let found = session.query_one(sql, &[&origin]).await;
    if found.map_err(&failed)?.get(0) {
        let sql = "SELECT pg_catalog.pg_replication_origin_drop($1)";
        session.execute(sql, &[&origin]).await.map_err(&failed)?;
    }
    let in_table = "SELECT pg_catalog.to_regclass('pgflit.progress') IS NOT NULL";
    let in_table = session.query_one(in_table, &[]).await;
    let failed = on(side, "dropping the position of a stream");
    if in_table.map_err(&failed)?.get(0) {
        let sql = "DELETE FROM pgflit.progress WHERE origin = $1";
        session.execute(sql, &[&origin]).await.map_err(&failed)?;
    }
    Ok(())
}

/// The name of the migration's first slot, of which those that follow are made.
fn base_name(slot: Option<&str>) -> &str {
    let name = slot.unwrap_or("pgflit");
    let name = name.strip_suffix("_reverse").unwrap_or(name);
    name.strip_suffix("_forward").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_back_is_not_begun_before_the_cutover_begins_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = |root: &Path| WorkDir::new(root.to_owned(), root.join("cdc"));
        let main = place(folder.path());
        let back = place(&folder.path().join("reverse"));
        let waits = |work_dir: &WorkDir| waits_for_cutover(work_dir).unwrap();
        // Any folder may have this name.
        assert!(!waits(&back));
        Store::create(&main.store_path()).unwrap();
        assert!(waits(&back) && !waits(&main));
        assert!(!waits(&place(&folder.path().join("other"))));

        std::fs::create_dir_all(&back.root).unwrap();
        let mut store = Store::create(&back.store_path()).unwrap();
        assert!(waits(&back));
        store.set_apply(true).unwrap();
        assert!(!waits(&back));
        store.begin_step(FOLLOWING_STEP).unwrap();
        store.set_apply(false).unwrap();
        assert!(!waits(&back));
    }
}
