//! Finding it all out, once or again and again.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use nix::sys::statvfs::statvfs;

use super::model::{Cutover, Disk, Running, State, Status, Warning};
use super::proxy::Asking;
use super::server::{ANSWER_MAX, Found, Place, Wanted};
use super::stream::{Direction, Told};
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::Address;
use crate::proxy::authority::record::Record;
use crate::report::progress::{Stored, picture_of};
use crate::segment;
use crate::store::{CATALOG_STEP, Error, Lock, Run, Store, WorkDir, seconds_since_1970};

use super::log::WARNINGS_MAX;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Config {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// The source, if it was named; otherwise the address that the migration was begun with.
    pub source: Option<Address>,
    /// The target, likewise.
    pub target: Option<Address>,
    /// The proxy's control socket.
    pub socket: PathBuf,
}

/// Looks, and keeps its sessions and places in logs for the next time.
#[derive(Debug)]
pub struct Looker {
    config: Config,
    directions: Vec<Direction>,
    source: Option<Place>,
    target: Option<Place>,
    proxy: Asking,
}

/// What the work directory's own store says.
#[derive(Debug, Default)]
struct OnDisk {
    run: Option<Run>,
    begun_at: Option<f64>,
    finished_at: Option<f64>,
    copy: Option<Stored>,
    cutover: Option<Cutover>,
}

impl Looker {
    /// One that has not looked yet.
    pub fn new(config: Config) -> Self {
        let of = |name: &str, from| {
            let root = config.work_dir.root.join(name);
            let cdc = root.join("cdc");
            Direction::back(WorkDir::new(root, cdc), from)
        };
        let directions = vec![
            Direction::first(config.work_dir.clone()),
            of("reverse", Side::Target),
            of("forward", Side::Source),
        ];
        Self {
            config,
            directions,
            source: None,
            target: None,
            proxy: Asking::default(),
        }
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// There is no work directory, or its store cannot be read.
    pub async fn look(&mut self) -> Result<Status, Error> {
        let work_dir = &self.config.work_dir;
        if !work_dir.root.is_dir() {
            return Err(Error::Missing(work_dir.root.clone()));
        }
        let deadline = Instant::now() + ANSWER_MAX;
        self.proxy.begin(&self.config.socket);
        let is_held = self.directions.first().is_some_and(Direction::is_running);
        let on_disk = OnDisk::read(work_dir, is_held)?;
        let mut told = self.streams()?;
        let (source, target) = self.servers(&on_disk, &told).await;
        for (direction, one) in &mut told {
            let found = match one.stream.from {
                Side::Source => &source,
                Side::Target => &target,
            };
            let slot = found.slots.iter();
            let slot = slot.clone().find(|(name, _)| *name == one.stream.slot_name);
            one.stream.slot = slot.map(|(_, slot)| slot.clone());
            self.directions[*direction].measure(one, found.server.current_lsn, found.now);
        }
        let proxy = self.proxy.answer(deadline);
        let state = match &on_disk.run {
            None if is_held => State::Running,
            None => State::Empty,
            Some(run) => match (run.finished, is_held) {
                (true, _) => State::Finished,
                (false, true) => State::Running,
                (false, false) => State::Interrupted,
            },
        };
        let mut stalls = source.stalls;
        stalls.extend(target.stalls);
        stalls.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let served = proxy.as_ref().and_then(|proxy| proxy.serves.as_deref());
        Ok(Status {
            at: seconds_since_1970(),
            work_dir: absolute(&self.config.work_dir),
            state,
            running: is_held.then(|| self.running()).flatten(),
            begun_at: on_disk.begun_at,
            finished_at: on_disk.finished_at,
            copy: on_disk.copy.as_ref().map(picture_of),
            streams: told.into_iter().map(|(_, told)| told.stream).collect(),
            serves: self.serves(served, on_disk.cutover.as_ref()),
            cutover: on_disk.cutover,
            source: source.server,
            target: target.server,
            disk: self.disk(),
            proxy,
            stalls,
            warnings: self.warnings(),
        })
    }

    /// The directions that there are, each with its number.
    fn streams(&mut self) -> Result<Vec<(usize, Told)>, Error> {
        let mut told = Vec::new();
        for (number, direction) in self.directions.iter_mut().enumerate() {
            let Some(store) = Store::look_at_any(&direction.work_dir.store_path())? else {
                continue;
            };
            direction.logs.read(&direction.work_dir.log_path());
            told.extend(direction.look(&store)?.map(|told| (number, told)));
        }
        Ok(told)
    }

    async fn servers(&mut self, on_disk: &OnDisk, told: &[(usize, Told)]) -> (Found, Found) {
        let run = on_disk.run.as_ref();
        let open = |side: Side| {
            let slots = told.iter().filter(|(_, told)| {
                told.stream.from == side && told.stream.state != State::Finished
            });
            let origin = told.iter().rev().find(|(_, told)| {
                told.stream.from == side.other() && told.stream.state != State::Finished
            });
            Wanted {
                system: match side {
                    Side::Source => run.map(|run| run.source_system.clone()),
                    Side::Target => run.and_then(|run| run.target_system.clone()),
                },
                slots: slots
                    .map(|(_, told)| told.stream.slot_name.clone())
                    .collect(),
                origin: origin.and_then(|(_, told)| told.run.origin.clone()),
            }
        };
        let (at_source, at_target) = (open(Side::Source), open(Side::Target));
        let place = |side, named: &Option<Address>, begun: Option<&str>| {
            Place::new(side, address(side, named, begun))
        };
        let Config { source, target, .. } = &self.config;
        let begun = run.map(|run| run.source.as_str());
        let source = self
            .source
            .get_or_insert_with(|| place(Side::Source, source, begun));
        let begun = run.and_then(|run| run.target.as_deref());
        let target = self
            .target
            .get_or_insert_with(|| place(Side::Target, target, begun));
        let found = tokio::join!(source.look(&at_source), target.look(&at_target));
        if run.is_none() {
            // Whoever begins may name others.
            (self.source, self.target) = (None, None);
        }
        found
    }

    /// Who has the lock, as it has written there.
    fn running(&self) -> Option<Running> {
        let text = fs::read_to_string(self.config.work_dir.lock_path()).ok()?;
        let (pid, command) = text.trim().split_once(' ')?;
        Some(Running {
            pid: pid.parse().ok()?,
            command: command.to_owned(),
        })
    }

    /// Where traffic goes: as the proxy says, or whoever has moved it.
    fn serves(&self, served: Option<&str>, cutover: Option<&Cutover>) -> Option<Side> {
        let said = match served {
            Some("source") => Some(Side::Source),
            Some("target") => Some(Side::Target),
            _ => None,
        };
        let path = self.config.work_dir.authority_path();
        let known = || {
            let record = Record::read(&path).ok().filter(|_| path.exists())?;
            Some(record.serves)
        };
        // Without a proxy, nobody writes down where traffic goes but the store.
        let moved = || {
            let cutover = cutover?;
            let is_switched = matches!(cutover.state, "switched" | "done");
            is_switched.then_some(cutover.to)
        };
        said.or_else(known).or_else(moved)
    }

    fn disk(&self) -> Disk {
        let taken = self.directions.iter();
        let taken = taken.map(|one| segment::bytes_taken(&one.work_dir.cdc).unwrap_or(0));
        let cdc = &self.config.work_dir.cdc;
        let folder = match cdc.exists() {
            true => cdc,
            false => &self.config.work_dir.root,
        };
        let found = statvfs(folder).ok();
        Disk {
            segment_bytes: taken.sum(),
            free_bytes: found.map(|found| found.blocks_available() * found.fragment_size()),
            size_bytes: found.map(|found| found.blocks() * found.fragment_size()),
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let told = self.directions.iter();
        let told = told.flat_map(|one| one.logs.warnings.iter().cloned());
        let mut told: Vec<_> = told.collect();
        told.sort_by(|a, b| a.time.cmp(&b.time));
        told.split_off(told.len().saturating_sub(WARNINGS_MAX))
    }
}

impl OnDisk {
    fn read(work_dir: &WorkDir, is_held: bool) -> Result<Self, Error> {
        let Some(store) = Store::look_at_any(&work_dir.store_path())? else {
            return Ok(Self::default());
        };
        let times = store.run_times()?;
        let copy = match store.step_is_begun(CATALOG_STEP)? {
            true => Some(Stored::read(&store, is_held)?),
            false => None,
        };
        let is_moving = Lock::is_held(&work_dir.root.join("cutover.lock"));
        let cutover = store.past_cutovers(1)?.pop().map(|past| Cutover {
            attempt: past.cutover.attempt,
            to: past.cutover.to,
            state: past.cutover.state.as_str(),
            in_progress: is_moving && !past.cutover.state.is_over(),
            has_way_back: past.cutover.has_way_back,
            begun_at: past.begun_at,
            problem: past.problem,
        });
        Ok(Self {
            run: store.run()?,
            begun_at: times.map(|times| times.begun_at),
            finished_at: times.and_then(|times| times.finished_at),
            copy,
            cutover,
        })
    }
}

/// Where the server is: as it was named, or as the migration was begun with.
fn address(side: Side, named: &Option<Address>, begun: Option<&str>) -> Result<Address, String> {
    match (named, begun) {
        (Some(address), _) => Ok(address.clone()),
        (None, Some(text)) => Address::parse(text).map_err(|error| chain(&error)),
        (None, None) => Err(format!("the {side} is not known yet")),
    }
}

/// Where a folder is, also for who reads it from another folder.
pub(super) fn absolute(work_dir: &WorkDir) -> String {
    let root = &work_dir.root;
    let absolute = std::path::absolute(root);
    absolute.as_ref().unwrap_or(root).display().to_string()
}
