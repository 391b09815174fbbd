//! The work directory: new, resumed, started over, or refused.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::Side;
use crate::base::failpoint;
use crate::catalog::filters::Filters;
use crate::catalog::server::Server;
use crate::store::{CATALOG_STEP, FOLLOWING_STEP, Lock, Run, Store, WorkDir};

use super::base_copy::lacks_definitions;
use super::error::MigrationError;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Neither `--resume` nor `--restart`.
    Fresh,
    /// `--resume`.
    Resume,
    /// `--resume --not-consistent`: without change capture, tables may be of two moments.
    ResumeNotConsistent,
    /// `--restart`.
    Restart,
}

/// What is to be done with the work directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Nothing has begun here.
    New,
    /// Streaming was set up here and nothing copied: `stream setup`, then `clone`.
    AfterSetup(Run),
    /// Go on with this.
    Resume(Run),
    /// Drop what this has made, then begin anew.
    StartOver(Run),
    /// Everything is done already.
    Finished,
}

/// Looks at the work directory, and takes its lock if it is there. Makes nothing.
///
/// # Errors
/// The lock is held; an interrupted run is there and nobody said what to do with it; the
/// directory cannot be used.
pub fn look(work_dir: &WorkDir, start: Start) -> Result<(Begin, Option<Lock>), MigrationError> {
    work_dir.check()?;
    if !work_dir.root.exists() {
        return Ok((Begin::New, None));
    }
    if !work_dir.has_begun() && !work_dir.lock_path().exists() {
        return Ok((Begin::New, None));
    }
    let lock = work_dir.lock()?;
    if !work_dir.has_begun() {
        return Ok((Begin::New, Some(lock)));
    }
    let store = Store::create(&work_dir.store_path())?;
    let Some(run) = store.run()? else {
        return Ok((Begin::New, Some(lock)));
    };
    let copy_begun = store.step_is_begun(CATALOG_STEP)?;
    let begin = match start {
        Start::Restart => Begin::StartOver(run),
        _ if run.finished => Begin::Finished,
        Start::Resume | Start::ResumeNotConsistent => Begin::Resume(run),
        Start::Fresh if !copy_begun && run.slot_lsn.is_some() => Begin::AfterSetup(run),
        Start::Fresh => {
            return Err(interrupted(work_dir));
        }
    };
    Ok((begin, Some(lock)))
}

/// As [`look`] for a copy: none is made where changes are applied to rows of somebody else's.
pub fn look_for_copy(
    work_dir: &WorkDir,
    start: Start,
) -> Result<(Begin, Option<Lock>), MigrationError> {
    let (begin, lock) = look(work_dir, start)?;
    if matches!(begin, Begin::Resume(_) | Begin::AfterSetup(_)) {
        let store = Store::create(&work_dir.store_path())?;
        if store.step_is_begun(FOLLOWING_STEP)? && !store.step_is_begun(CATALOG_STEP)? {
            return Err(MigrationError::Refused {
                side: None,
                problem: format!(
                    "changes are followed in {}, for rows that pgflit has not copied",
                    work_dir.root.display()
                ),
                hint: "go on with pgflit follow --resume, or name another work directory with \
                       --dir"
                    .to_owned(),
            });
        }
    }
    Ok((begin, lock))
}

/// As [`look`] for one step of a copy that is made in steps: it goes on, without being told to, with
/// what the steps before it have left, unless one of them was interrupted.
pub fn look_for_step(
    work_dir: &WorkDir,
    start: Start,
) -> Result<(Begin, Option<Lock>), MigrationError> {
    let (begin, lock) = match start {
        Start::Fresh => look_for_copy(work_dir, Start::Resume)?,
        start => look_for_copy(work_dir, start)?,
    };
    if start == Start::Fresh && matches!(begin, Begin::Resume(_)) {
        let store = Store::create(&work_dir.store_path())?;
        if let Some(step) = store.interrupted_step()? {
            return Err(MigrationError::Refused {
                side: None,
                problem: format!(
                    "the copy in {} was interrupted (in step \"{step}\")",
                    work_dir.root.display()
                ),
                hint: RESUME_OR_RESTART.to_owned(),
            });
        }
    }
    Ok((begin, lock))
}

/// What `follow` is to do with the work directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowBegin {
    /// Nothing has begun here.
    New,
    /// Change capture was set up here, and a copy, if one was begun, has all rows.
    GoOn(Run),
    /// Drop what this has made, then begin anew.
    StartOver(Run),
    /// Everything is done already.
    Finished,
}

/// As [`look`] for `follow`, which goes on with what was set up and copied before.
///
/// # Errors
/// As [`look`]; or the copy is not complete, or was made without capturing changes.
pub fn look_for_follow(
    work_dir: &WorkDir,
    start: Start,
) -> Result<(FollowBegin, Option<Lock>), MigrationError> {
    let wanted = match start {
        Start::Fresh => Start::Resume,
        start => start,
    };
    let (begin, lock) = look(work_dir, wanted)?;
    let run = match begin {
        Begin::New => return Ok((FollowBegin::New, lock)),
        Begin::Finished => return Ok((FollowBegin::Finished, lock)),
        Begin::StartOver(run) => return Ok((FollowBegin::StartOver(run), lock)),
        Begin::Resume(run) | Begin::AfterSetup(run) => run,
    };
    let root = work_dir.root.display();
    let refused = |problem: String, hint: &str| {
        Err(MigrationError::Refused {
            side: None,
            problem,
            hint: hint.to_owned(),
        })
    };
    if run.slot.is_none() {
        return refused(
            format!("the copy in {root} was made without capturing changes"),
            "those made since are known to nobody: begin anew with pgflit clone --follow --restart",
        );
    }
    let store = Store::create(&work_dir.store_path())?;
    if let Some(step) = store.interrupted_step()? {
        return refused(
            format!("the copy in {root} was interrupted (in step \"{step}\")"),
            "complete it first: run the command that made it again with --resume, such as pgflit clone --follow --resume",
        );
    }
    if !store.copy_allows_apply()? {
        return refused(
            format!("the copy in {root} is not complete: rows are missing"),
            "copy them first, with pgflit copy data; or let pgflit clone --follow --resume copy them and follow",
        );
    }
    if lacks_definitions(&store)? {
        return refused(
            format!("the copy in {root} is not complete: indexes or constraints are missing"),
            "make them first, with pgflit copy indexes and pgflit copy constraints; or let pgflit \
             clone --follow --resume make them and follow",
        );
    }
    let has_followed =
        store.step_is_begun(FOLLOWING_STEP)? || !store.sentinel()?.replay_lsn.is_zero();
    match start == Start::Fresh && has_followed {
        true => refused(
            format!("changes were followed in {root} before"),
            "go on with --resume",
        ),
        false => Ok((FollowBegin::GoOn(run), lock)),
    }
}

const RESUME_OR_RESTART: &str = "go on with --resume, or begin anew with --restart";

/// Somebody has to say what to do with the run that is there.
pub(super) fn interrupted(work_dir: &WorkDir) -> MigrationError {
    MigrationError::Refused {
        side: None,
        problem: format!("an interrupted migration is in {}", work_dir.root.display()),
        hint: RESUME_OR_RESTART.to_owned(),
    }
}

/// Refuses to resume `run` between other databases, with another slot or with other
/// filters than it was begun with.
pub fn check_same(run: &Run, now: &Run) -> Result<(), MigrationError> {
    let shown = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    let mut pairs = vec![];
    if run.source_system != now.source_system {
        pairs.push(("source", run.source.clone(), now.source.clone()));
    }
    if run.target_system.is_some() && run.target_system != now.target_system {
        pairs.push(("target", shown(&run.target), shown(&now.target)));
    }
    for (what, begun, asked) in [
        ("slot", &run.slot, &now.slot),
        ("origin", &run.origin, &now.origin),
        ("plugin", &run.plugin, &now.plugin),
        ("publication", &run.publication, &now.publication),
    ] {
        // Without --follow nothing is said about capture: `stream setup` has, before.
        if now.slot.is_some() && begun != asked {
            pairs.push((what, shown(begun), shown(asked)));
        }
    }
    // Unless another is named, it stays what it was.
    let named = now.split.as_ref().filter(|split| !split.is_empty());
    if let (Some(begun), Some(asked)) = (&run.split, named)
        && begun != asked
    {
        let begun = match begun.as_str() {
            "" => "the default",
            options => options,
        };
        pairs.push(("split", begun.to_owned(), asked.clone()));
    }
    match pairs.first() {
        None => check_filters(run, now.filters.as_deref()),
        Some((what, begun, asked)) => Err(MigrationError::Refused {
            side: None,
            problem: match begun == asked {
                true => format!(
                    "this migration was begun with {what} {begun}, which is another database by now"
                ),
                false => format!("this migration was begun with {what} {begun}, not {asked}"),
            },
            hint: "resume with what it was begun with, or begin anew with --restart".to_owned(),
        }),
    }
}

/// Refuses to go on with other filters than `run` was begun with.
pub fn check_filters(run: &Run, now: Option<&str>) -> Result<(), MigrationError> {
    match Filters::difference(run.filters.as_deref(), now) {
        None => Ok(()),
        Some(problem) => Err(MigrationError::Refused {
            side: None,
            problem,
            hint: "name the filters that it was begun with, or begin anew with --restart"
                .to_owned(),
        }),
    }
}

/// What `run` leaves out.
pub(super) fn filters_of(run: &Run) -> Result<Filters, MigrationError> {
    let text = run.filters.as_deref().unwrap_or_default();
    Ok(Filters::parse("the filters of this migration", text)?)
}

/// Refuses to touch what is on these servers if `run` was begun between others: a slot or a
/// schema of the same name there belongs to somebody else's migration.
pub fn check_servers(run: &Run, source: &Server, target: &Server) -> Result<(), MigrationError> {
    let other = |side: Side, name: &str| {
        Err(MigrationError::Refused {
            side: Some(side),
            problem: format!("this migration was begun with another server, {name}"),
            hint: "name the source and target that it was begun with".to_owned(),
        })
    };
    if run.source_system != source.system {
        return other(Side::Source, &run.source);
    }
    match (&run.target_system, &run.target) {
        (Some(system), Some(name)) if *system != target.system => other(Side::Target, name),
        _ => Ok(()),
    }
}

/// How long those of a supervisor that was killed may take to end: they may still commit what they
/// have begun.
pub const LEAVE_WAIT: Duration = Duration::from_secs(10);

/// Makes sure that none of the streaming processes, and nobody who starts them, is at work here, for
/// as long as what it gives is held. Each may take `wait` to end.
///
/// # Errors
/// One is.
pub fn nobody_streams(work_dir: &WorkDir, wait: Duration) -> Result<Vec<Lock>, MigrationError> {
    if !work_dir.cdc.exists() {
        return Ok(Vec::new());
    }
    let roles = ["supervisor", "receive", "transform", "apply"];
    let locks = roles.map(|role| Lock::take_within(&work_dir.role_lock_path(role), wait));
    Ok(locks.into_iter().collect::<Result<_, _>>()?)
}

/// Removes the files of an earlier run; the lock stays. The store goes last, and its log before it:
/// whoever is interrupted finds it, and removes the rest.
pub fn remove_files(work_dir: &WorkDir) -> Result<(), MigrationError> {
    for path in [
        work_dir.cdc.clone(),
        work_dir.schema_path(),
        work_dir.log_path(),
    ] {
        removed(fs::remove_dir_all(&path), path)?;
        failpoint::reach("folder removed");
    }
    let store = work_dir.store_path();
    let sibling = |suffix: &str| {
        let mut path = store.as_os_str().to_owned();
        path.push(suffix);
        path.into()
    };
    let files = [
        work_dir.snapshot_path(),
        work_dir.summary_path(),
        sibling("-wal"),
        sibling("-shm"),
        store.clone(),
    ];
    for path in files {
        remove_file(path)?;
        failpoint::reach("file removed");
    }
    Ok(())
}

/// Removes a file, if it is there.
pub(super) fn remove_file(path: PathBuf) -> Result<(), MigrationError> {
    removed(fs::remove_file(&path), path)
}

fn removed(result: std::io::Result<()>, path: PathBuf) -> Result<(), MigrationError> {
    match result {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(MigrationError::Io {
            doing: "removing",
            path,
            source,
        }),
        _ => Ok(()),
    }
}
