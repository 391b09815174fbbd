//! How mirrors do, as a proxy tells it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::serving::refused;
use super::{MirroredTo, Reply};
use crate::proxy::config::MirrorMode;
use crate::proxy::config::databases::Database;
use crate::proxy::mirror::Mirror;
use crate::proxy::mirror::answers::Difference;
use crate::proxy::mirror::shadow::StatementFacts;
use crate::proxy::registry::Entry;
use crate::proxy::service::{Service, Settings};

/// Statements that are told of each mirror: those worth looking at come first.
pub const WORST_MAX: usize = 50;

/// A statement's 99th percentile says something once there are so many answers; of fewer it is the
/// slowest one alone.
const TELLING_MIN: u64 = 100;

/// One mirror.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirrorStatus {
    /// The proxy's process that tells.
    pub proxy_pid: u32,
    /// Its name.
    pub name: String,
    /// `reads`, `all`, `ddl` or `dml`.
    pub mode: String,
    /// Of how many transactions it is sent, from 0 to 1.
    pub exposure: f64,
    /// Whether it is the target of all databases that have one, by the configuration.
    #[serde(default)]
    pub is_target: bool,
    /// Transactions that clients have ended. Each is counted by one of the following five.
    pub transactions: u64,
    /// Answered to the end.
    pub completed: u64,
    /// Wait or are on their way; none if the mirror is drained.
    pub outstanding: u64,
    /// Dropped, whatever the reason.
    pub dropped: u64,
    /// Left out by chance.
    pub not_sampled: u64,
    /// Not of the kind that it is sent.
    pub skipped: u64,
    /// The dropped ones by reason.
    pub dropped_by_reason: BTreeMap<String, u64>,
    /// Statements answered.
    pub statements: u64,
    /// Of these, failed on the mirror.
    pub errors: u64,
    /// By SQLSTATE.
    pub errors_by_sqlstate: BTreeMap<String, u64>,
    /// Refused because the session may only read.
    pub refused_writes: u64,
    /// Memory of what waits.
    pub waiting_bytes: u64,
    /// Connections to it that are open.
    pub connections: u64,
    /// Times that it could not be connected to.
    pub failed_connections: u64,
    /// Answers that were compared.
    pub compared: u64,
    /// Differences that were there again when asked again.
    pub differences: u64,
    /// That were not: one side was behind the other.
    pub passing: u64,
    /// That could not be asked again, or whose answers change each time.
    pub unconfirmed: u64,
    /// Of the statements that were compared often enough to tell, the largest 99th percentile in
    /// relation to that of where clients are.
    #[serde(default)]
    pub p99_ratio: Option<f64>,
    /// The statements with most differences, and then those that are slower here by most.
    pub worst: Vec<StatementStatus>,
}

/// One statement of a mirror.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementStatus {
    /// Its text without values.
    pub statement: String,
    /// Answers that were compared.
    pub compared: u64,
    /// Differences that count.
    pub differences: u64,
    /// By kind: `error`, `rows`, `columns`, `values`.
    pub differences_by_kind: BTreeMap<String, u64>,
    /// That passed.
    pub passing: u64,
    /// That are not confirmed.
    pub unconfirmed: u64,
    /// Where clients are.
    pub p50_ms: Option<f64>,
    /// On the mirror.
    pub mirror_p50_ms: Option<f64>,
    /// Where clients are.
    pub p99_ms: Option<f64>,
    /// On the mirror.
    pub mirror_p99_ms: Option<f64>,
    /// The mirror's in relation to the other.
    pub p99_ratio: Option<f64>,
}

impl MirrorStatus {
    /// Of `mirror` at this moment; `databases` are those of the configuration.
    pub fn of(mirror: &Mirror, databases: &[Database]) -> Self {
        Self::with(mirror, databases, &mirror.shadow.worst())
    }

    /// The same without statements, and what is summed up from them.
    fn counted(mirror: &Mirror, databases: &[Database]) -> Self {
        Self::with(mirror, databases, &[])
    }

    fn with(mirror: &Mirror, databases: &[Database], worst: &[Arc<StatementFacts>]) -> Self {
        let counted = mirror.counters.read();
        let mut movable = databases.iter().filter(|one| one.target.is_some());
        let sums = worst.iter().map(|facts| facts.read());
        let (compared, differences, passing, unconfirmed) = sums.fold((0, 0, 0, 0), |sums, one| {
            (
                sums.0 + one.compared,
                sums.1 + one.confirmed_in_all(),
                sums.2 + one.passing,
                sums.3 + one.unconfirmed,
            )
        });
        let ratios = worst.iter().map(|facts| facts.read());
        let ratios = ratios.filter(|one| one.compared >= TELLING_MIN);
        let p99_ratio = ratios.filter_map(|one| one.p99_ratio).reduce(f64::max);
        let owned = |reason: &str, count: u64| (reason.to_owned(), count);
        let dropped = counted.dropped.iter().filter(|(_, count)| *count > 0);
        MirrorStatus {
            proxy_pid: std::process::id(),
            name: mirror.config.name.clone(),
            mode: mirror.config.mode.as_str().to_owned(),
            exposure: mirror.config.exposure,
            is_target: movable.all(|one| mirror.config.is_target_of(one)),
            transactions: counted.seen,
            completed: counted.completed,
            outstanding: counted.outstanding(),
            dropped: counted.dropped_in_all(),
            not_sampled: counted.not_sampled,
            skipped: counted.skipped,
            dropped_by_reason: dropped.map(|(why, count)| owned(why, *count)).collect(),
            statements: counted.statements,
            errors: counted.errors.iter().map(|(_, count)| count).sum(),
            errors_by_sqlstate: counted.errors.into_iter().collect(),
            refused_writes: counted.refused_writes,
            waiting_bytes: mirror.waiting_bytes() as u64,
            connections: counted.open_connections,
            failed_connections: counted.failed_connections,
            compared,
            differences,
            passing,
            unconfirmed,
            p99_ratio,
            worst: worst
                .iter()
                .take(WORST_MAX)
                .map(|facts| StatementStatus::of(facts))
                .collect(),
        }
    }
}

impl StatementStatus {
    fn of(facts: &StatementFacts) -> Self {
        let counts = facts.read();
        let millis = |took: Duration| took.as_secs_f64() * 1000.0;
        let kinds = Difference::ALL.into_iter().zip(counts.confirmed);
        let kinds = kinds.filter(|(_, count)| *count > 0);
        StatementStatus {
            statement: facts.shape.clone(),
            compared: counts.compared,
            differences: counts.confirmed_in_all(),
            differences_by_kind: kinds
                .map(|(kind, count)| (kind.as_str().to_owned(), count))
                .collect(),
            passing: counts.passing,
            unconfirmed: counts.unconfirmed,
            p50_ms: facts.main.percentile(0.5).map(millis),
            mirror_p50_ms: facts.mirror.percentile(0.5).map(millis),
            p99_ms: facts.main.percentile(0.99).map(millis),
            mirror_p99_ms: facts.mirror.percentile(0.99).map(millis),
            p99_ratio: counts.p99_ratio,
        }
    }
}

/// How often it is looked whether a mirror is drained.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Answers once the mirror `name` has nothing outstanding, or `limit` is over.
pub(super) async fn drain(service: &Service, name: &str, limit: Duration) -> Reply {
    let began = Instant::now();
    loop {
        let settings = service.settings();
        let mut mirrors = settings.mirrors.iter();
        let Some(mirror) = mirrors.find(|mirror| mirror.config.name == name) else {
            return refused(
                &format!("there is no mirror {name}"),
                Some("name one of those that pgflit proxy mirrors lists"),
            );
        };
        let status = MirrorStatus::counted(mirror, &settings.config.databases);
        if status.outstanding == 0 || began.elapsed() >= limit {
            let mirrors = vec![status];
            return Reply::Mirrors { mirrors };
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The mirrors that are sent everything that a client does, by the way that is in force now.
pub(super) fn mirrored_to(entry: &Entry, settings: &Settings) -> Vec<MirroredTo> {
    let feeds = entry.mirrors.get().into_iter().flatten();
    let feeds = feeds.filter(|feed| {
        let began_with = &feed.mirror().config;
        let is_in_force = settings.mirrors.iter().any(|mirror| {
            let now = &mirror.config;
            now.name == began_with.name && now.server == began_with.server
        });
        let is_sent_all = began_with.mode == MirrorMode::All && began_with.exposure >= 1.0;
        is_in_force && is_sent_all && feed.is_open()
    });
    let told = feeds.map(|feed| MirroredTo {
        name: feed.mirror().config.name.clone(),
        server_pid: Some(feed.server_pid().load(Ordering::Relaxed)).filter(|pid| *pid != 0),
    });
    told.collect()
}
