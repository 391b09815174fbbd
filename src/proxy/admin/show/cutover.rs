//! Where traffic goes and how it came there, from the files of the migration; and the tasks that move it.
//!
//! The files are read and nothing else: what is not there, or busy, is left out.

use serde::Deserialize;

use super::{Rows, moment};
use crate::base::{Lsn, Side};
use crate::proxy::admin::answer::{Cell, Column, int4, int8, text};
use crate::proxy::authority::{Doubt, Record};
use crate::proxy::control::Facts;
use crate::store::{self, FOLLOWING_STEP, Lock, PastCutover, Sentinel, Store, WorkDir};

pub(super) const CUTOVER: [Column; 8] = [
    text("serves"),
    int8("attempt"),
    text("to"),
    text("state"),
    text("begun"),
    int8("held_ms"),
    int4("in_doubt"),
    text("problem"),
];

pub(super) const REPLICATION: [Column; 10] = [
    text("stream"),
    text("from"),
    text("slot"),
    text("plugin"),
    text("state"),
    text("write_lsn"),
    text("flush_lsn"),
    text("replay_lsn"),
    text("endpos"),
    int8("lag_bytes"),
];

pub(super) const TASKS: [Column; 7] = [
    int4("task"),
    text("command"),
    text("state"),
    text("started"),
    int8("seconds"),
    int4("exit_code"),
    text("said"),
];

/// Attempts that are shown.
const ATTEMPTS: u32 = 20;

/// One step of an attempt, as the store has it.
#[derive(Deserialize)]
struct Step {
    ms: f64,
    held: bool,
}

/// Where traffic goes, and the last attempts to move it, the newest first; one row without any.
pub(super) fn cutover(facts: &Facts) -> Rows {
    let work_dir = &facts.tasks.place().work_dir;
    let serves = facts.service.registry.turns().side();
    let past = Store::look(&work_dir.store_path());
    let past = past.and_then(|store| match store {
        Some(store) => store.past_cutovers(ATTEMPTS),
        None => Ok(Vec::new()),
    });
    let record = Record::read(&work_dir.authority_path()).unwrap_or_default();
    let rows = rows_of(serves, past.unwrap_or_default(), record.doubt);
    Box::new(rows.into_iter())
}

fn rows_of(serves: Side, past: Vec<PastCutover>, doubt: Option<Doubt>) -> Vec<Vec<Cell>> {
    let doubted = doubt.as_ref().map(|doubt| doubt.attempt);
    let is_in = |attempt| past.iter().any(|one| one.cutover.attempt == attempt);
    let serves = || Cell::from(serves.as_str());
    let mut rows = Vec::new();
    // Of a store that could not be read.
    if let Some(doubt) = doubt.as_ref().filter(|doubt| !is_in(doubt.attempt)) {
        let (attempt, to) = (doubt.attempt.into(), doubt.to.as_str().into());
        let in_doubt = true.into();
        let unknown = || Cell::Null;
        rows.push(vec![
            serves(),
            attempt,
            to,
            unknown(),
            unknown(),
            unknown(),
            in_doubt,
            unknown(),
        ]);
    }
    rows.extend(past.into_iter().map(|one| {
        let cutover = one.cutover;
        vec![
            serves(),
            cutover.attempt.into(),
            cutover.to.as_str().into(),
            cutover.state.as_str().into(),
            moment_at(one.begun_at).into(),
            held_ms(&cutover.steps).into(),
            (doubted == Some(cutover.attempt)).into(),
            one.problem.into(),
        ]
    }));
    if rows.is_empty() {
        rows.push(vec![serves()]);
    }
    rows
}

/// How long clients were held; none if they were not, or nobody knows yet.
fn held_ms(steps: &str) -> Option<u64> {
    let steps: Vec<Step> = serde_json::from_str(steps).unwrap_or_default();
    let mut held = steps.iter().filter(|step| step.held).peekable();
    held.peek()?;
    Some(held.map(|step| step.ms).sum::<f64>().round() as u64)
}

/// The moment so many seconds after 1970.
fn moment_at(seconds: f64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(seconds as i64).ok()?;
    Some(moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The streams of the migration that there are, each from its own store.
pub(super) fn replication(facts: &Facts) -> Rows {
    let work_dir = facts.tasks.place().work_dir.clone();
    let below = |name: &str| {
        let root = work_dir.root.join(name);
        let cdc = root.join("cdc");
        WorkDir::new(root, cdc)
    };
    let streams = [
        ("reverse", Side::Target, below("reverse")),
        ("forward", Side::Source, below("forward")),
    ];
    let first = ("migration", Side::Source, work_dir);
    let all = std::iter::once(first).chain(streams);
    Box::new(all.filter_map(|(name, from, work_dir)| {
        let looked = Stream::look(&work_dir);
        let is_unknown = looked.is_err();
        let mut row: Vec<Cell> = vec![name.into(), from.as_str().into()];
        if is_unknown {
            row.extend([Cell::Null, Cell::Null, "unknown".into()]);
            return Some(row);
        }
        let stream = looked.ok().flatten()?;
        let Sentinel {
            write_lsn,
            flush_lsn,
            replay_lsn,
            endpos,
            ..
        } = stream.sentinel;
        let shown = |lsn: Lsn| Cell::from((!lsn.is_zero()).then(|| lsn.to_string()));
        let is_known = !write_lsn.is_zero() && !replay_lsn.is_zero();
        let lag = write_lsn.as_u64().saturating_sub(replay_lsn.as_u64());
        row.extend([
            stream.slot.into(),
            stream.plugin.into(),
            stream.state.into(),
            shown(write_lsn),
            shown(flush_lsn),
            shown(replay_lsn),
            shown(endpos),
            is_known.then_some(lag).into(),
        ]);
        Some(row)
    }))
}

/// One stream, as its store tells.
struct Stream {
    slot: Option<String>,
    plugin: Option<String>,
    state: &'static str,
    sentinel: Sentinel,
}

impl Stream {
    /// None if there is none.
    fn look(work_dir: &WorkDir) -> Result<Option<Stream>, store::Error> {
        let Some(store) = Store::look(&work_dir.store_path())? else {
            return Ok(None);
        };
        let Some(run) = store.run()?.filter(|run| run.slot.is_some()) else {
            return Ok(None);
        };
        let sentinel = store.sentinel()?;
        let has_begun = sentinel.apply || store.step_is_begun(FOLLOWING_STEP)?;
        let state = match Lock::is_held(&work_dir.role_lock_path("supervisor")) {
            true => "running",
            false if run.finished => "ended",
            false if !has_begun => "armed",
            false => "stopped",
        };
        Ok(Some(Stream {
            slot: run.slot,
            plugin: run.plugin,
            state,
            sentinel,
        }))
    }
}

/// What runs in the background, and what has, the newest first.
pub(super) fn tasks(facts: &Facts) -> Rows {
    let tasks = facts.tasks.shown().into_iter();
    Box::new(tasks.map(|task| {
        vec![
            task.number.into(),
            task.what.words().into(),
            task.state.into(),
            moment(task.ago).into(),
            task.ran.as_secs().into(),
            task.code.and_then(|code| u32::try_from(code).ok()).into(),
            task.said.into(),
        ]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Cutover, CutoverState};

    #[test]
    fn an_attempt_in_doubt_is_shown_whether_the_store_knows_it_or_not() {
        assert_eq!(
            rows_of(Side::Source, Vec::new(), None),
            [vec![Cell::from("source")]]
        );
        let doubt = Doubt {
            attempt: 7,
            to: Side::Target,
            at: String::new(),
            left: String::new(),
        };
        let alone = rows_of(Side::Source, Vec::new(), Some(doubt.clone()));
        assert_eq!(alone.len(), 1);
        assert_eq!((&alone[0][1], &alone[0][6]), (&7_u64.into(), &true.into()));
        let past = PastCutover {
            cutover: Cutover {
                attempt: 7,
                to: Side::Target,
                state: CutoverState::Holding,
                marker: None,
                steps: r#"[{"name":"a","ms":5.0,"held":false},{"name":"b","ms":1.6,"held":true}]"#
                    .to_owned(),
                has_way_back: true,
            },
            begun_at: 0.0,
            problem: None,
        };
        let both = rows_of(Side::Source, vec![past], Some(doubt));
        assert_eq!(both.len(), 1);
        assert_eq!(both[0][4], Cell::from("1970-01-01 00:00:00 UTC"));
        assert_eq!((&both[0][5], &both[0][6]), (&2_u64.into(), &true.into()));
        assert_eq!(held_ms("[]"), None);
    }
}
