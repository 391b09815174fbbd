//! Traffic goes to a server that a mirror of the proxies has fed: no stream carries anything.
//!
//! The mirror says again there what clients say. What it was never sent, or what failed there, is not
//! there, and nobody knows the rows: so what was dropped and what failed is told, and the row counts of
//! both sides decide, while clients are held, unless the operator has said that they may differ.
//!
//! What is certain by then: everything that a client which goes along has done since it connected was sent
//! to the mirror, or was told as lost; since just before clients were held for the first time nothing was
//! lost, and no process has taken its queue with it; all of it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::{ByMirror, Config, Counts};
use super::error::{CutoverError, on};
use super::leg::Leg;
use super::proxies::{Proxies, Via};
use crate::base::cause::chain;
use crate::base::{Shutdown, Side};
use crate::catalog::filters::Filters;
use crate::catalog::sizes::Sizes;
use crate::pg::Session;
use crate::proxy::control::{AskError, Client, MirrorStatus};
use crate::verify::data::{self, Compared, Depth, Reading, Verdict};

/// How long a mirror may take to answer one of the transactions that wait for it.
const MOVE_MAX: Duration = Duration::from_secs(10);

/// How long sessions that log in, or whose mirror's connection is opened again, are given.
const SETTLE_MAX: Duration = Duration::from_secs(3);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a proxy waits with its answer for a mirror that is not drained yet.
const DRAIN_SLICE: Duration = Duration::from_secs(1);

/// Sessions a server that count rows.
const COUNT_JOBS: usize = 4;

/// Clients and tables that are named.
const NAMED_MAX: usize = 20;

/// A process of the proxy: where it runs, empty for this machine, and its number.
type Process = (String, u32);

/// What is known of the mirror, by all attempts of one command.
#[derive(Debug)]
pub(super) struct Mirrored {
    told: ByMirror,
    /// What each process had dropped before clients were held for the first time.
    dropped_before: BTreeMap<Process, u64>,
    /// What the operator is told in the end.
    pub(super) remarks: Vec<String>,
}

impl Mirrored {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// Changes are followed in the work directory.
    pub(super) fn new(config: &Config, told: &ByMirror) -> Result<Self, CutoverError> {
        if Leg::first(config).is_followed()? {
            let root = config.work_dir.root.display();
            return Err(CutoverError::not_ready(
                format!("changes are followed in {root}, and a mirror would do everything twice"),
                "move traffic without --by-mirror; or, if that migration is over, run the proxy and this \
                 command in a work directory of their own",
            ));
        }
        Ok(Mirrored {
            told: told.clone(),
            dropped_before: BTreeMap::new(),
            remarks: Vec::new(),
        })
    }

    /// Whether every proxy sends everything that its clients do to `to`, looked at while traffic flows.
    ///
    /// # Errors
    /// One does not.
    pub(super) async fn look(
        &mut self,
        config: &Config,
        (proxies, via): (&Proxies, Via<'_>),
        to: &Session,
    ) -> Result<(), CutoverError> {
        let statuses = self.ask(proxies, Duration::ZERO, via).await?;
        for ((proxy, _), status) in &statuses {
            self.check_configured(proxy, status, config.to)?;
        }
        self.check_clients(proxies, via, (to, config.to)).await?;
        self.check_moves(proxies, via, &statuses).await?;
        self.remarks.clear();
        for remark in losses(&self.told.name, &statuses) {
            self.remark(remark);
        }
        if self.told.counts == Counts::MayDiffer {
            for one in differing_counts(config).await? {
                self.remark(format!(
                    "row counts differ, counted while clients write: {one}"
                ));
            }
        }
        Ok(())
    }

    /// From here on nothing may be lost, in later attempts neither.
    ///
    /// # Errors
    /// A proxy does not answer.
    pub(super) async fn begin(
        &mut self,
        proxies: &Proxies,
        via: Via<'_>,
    ) -> Result<(), CutoverError> {
        if !self.dropped_before.is_empty() {
            return Ok(());
        }
        let statuses = self.ask(proxies, Duration::ZERO, via).await?;
        let dropped = |(process, status): (Process, MirrorStatus)| (process, status.dropped);
        self.dropped_before = statuses.into_iter().map(dropped).collect();
        Ok(())
    }

    /// Returns once the mirror has answered everything, clients being held. Waits for as long as it is
    /// polled.
    ///
    /// # Errors
    /// Something was lost since [`Mirrored::begin`]; or there are clients that it is not sent.
    pub(super) async fn drain(&self, proxies: &Proxies, via: Via<'_>) -> Result<(), CutoverError> {
        let statuses = loop {
            let statuses = self.ask(proxies, DRAIN_SLICE, via).await?;
            if statuses.iter().all(|(_, status)| status.outstanding == 0) {
                break statuses;
            }
        };
        let name = &self.told.name;
        for (process, before) in &self.dropped_before {
            let status = statuses.iter().find(|(one, _)| one == process);
            let Some((_, status)) = status else {
                return Err(CutoverError::not_ready(
                    format!(
                        "process {} of {} has ended meanwhile, and what waited there for mirror {name} \
                         is lost",
                        process.1,
                        proxy_named(&process.0)
                    ),
                    "run the command again: the row counts tell whether that is missing",
                ));
            };
            if status.dropped > *before {
                return Err(CutoverError::not_ready(
                    format!(
                        "mirror {name} has lost {} transactions meanwhile ({})",
                        status.dropped - before,
                        reasons(&status.dropped_by_reason)
                    ),
                    "see why in the proxy's log and in docs/mirroring.md; bring over by hand what is missing",
                ));
            }
        }
        match self.not_mirrored(&proxies.clients(via).await?) {
            None => Ok(()),
            Some(problem) => Err(problem),
        }
    }

    /// Counts the rows of all tables on both sides, if they must be equal. Nobody writes meanwhile.
    ///
    /// # Errors
    /// They are not.
    pub(super) async fn check_counts(&self, config: &Config) -> Result<(), CutoverError> {
        if self.told.counts == Counts::MayDiffer {
            return Ok(());
        }
        let differing = differing_counts(config).await?;
        match differing.is_empty() {
            true => Ok(()),
            false => Err(CutoverError::not_ready(
                format!("row counts differ: {}", differing.join("; ")),
                "bring over by hand what is missing, and wait until what one side alone has is gone; or, if \
                 these tables may differ, say --allow-different-counts",
            )),
        }
    }

    fn remark(&mut self, remark: String) {
        tracing::warn!("{remark}");
        self.remarks.push(remark);
    }

    /// How each process's mirror does, once it is drained or `limit` is over.
    async fn ask(
        &self,
        proxies: &Proxies,
        limit: Duration,
        via: Via<'_>,
    ) -> Result<Vec<(Process, MirrorStatus)>, CutoverError> {
        match proxies.drain(&self.told.name, limit, via).await {
            Ok(statuses) => Ok(statuses
                .into_iter()
                .map(|(proxy, status)| ((proxy, status.proxy_pid), status))
                .collect()),
            Err(CutoverError::Proxy(AskError::Refused { problem, hint, .. })) => {
                Err(CutoverError::not_ready(
                    format!("asking for mirror {}: {problem}", self.told.name),
                    hint.unwrap_or_default(),
                ))
            }
            Err(error) => Err(error),
        }
    }

    fn check_configured(
        &self,
        proxy: &str,
        status: &MirrorStatus,
        to: Side,
    ) -> Result<(), CutoverError> {
        let (name, proxy) = (&self.told.name, proxy_named(proxy));
        if status.mode != "all" || status.exposure < 1.0 {
            return Err(CutoverError::not_ready(
                format!(
                    "mirror {name} of {proxy} is not sent everything: mode {}, exposure {}",
                    status.mode, status.exposure
                ),
                "set mode = \"all\" and exposure = 1 when the other side is a copy, and see that clients \
                 connect anew then",
            ));
        }
        match status.is_target {
            true => Ok(()),
            false => Err(CutoverError::not_ready(
                format!(
                    "mirror {name} of {proxy} is not the {to} of the database that is to move, or not of all of it"
                ),
                "take server and database out of its [[mirror]], or let server say what target says",
            )),
        }
    }

    /// What waits must be answered some time: a mirror that hangs would be waited for in vain.
    async fn check_moves(
        &self,
        proxies: &Proxies,
        via: Via<'_>,
        first: &[(Process, MirrorStatus)],
    ) -> Result<(), CutoverError> {
        let deadline = Instant::now() + MOVE_MAX;
        let was_answered = |process: &Process, status: &MirrorStatus| {
            let before = first.iter().find(|(one, _)| one == process);
            before.is_none_or(|(_, before)| status.completed > before.completed)
        };
        loop {
            let statuses = self.ask(proxies, LOOK_EVERY, via).await?;
            let stuck = statuses
                .iter()
                .find(|(process, one)| one.outstanding > 0 && !was_answered(process, one));
            let Some(((proxy, _), status)) = stuck else {
                return Ok(());
            };
            if Instant::now() >= deadline {
                return Err(CutoverError::not_ready(
                    format!(
                        "mirror {} of {} has answered nothing for {MOVE_MAX:?}, and {} transactions wait \
                         for it",
                        self.told.name,
                        proxy_named(proxy),
                        status.outstanding
                    ),
                    "see in pg_stat_activity there what they wait for",
                ));
            }
        }
    }

    /// All clients that go along must be mirrored, and to this very database.
    async fn check_clients(
        &self,
        proxies: &Proxies,
        via: Via<'_>,
        to: (&Session, Side),
    ) -> Result<(), CutoverError> {
        let deadline = Instant::now() + SETTLE_MAX;
        loop {
            let clients = proxies.clients(via).await?;
            let problem = match self.not_mirrored(&clients) {
                Some(problem) => Some(problem),
                None => self.elsewhere(&clients, to).await?,
            };
            match problem {
                None => return Ok(()),
                Some(problem) if Instant::now() >= deadline => return Err(problem),
                Some(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    fn not_mirrored(&self, clients: &[Client]) -> Option<CutoverError> {
        let is_mirrored =
            |client: &Client| client.mirrors.iter().any(|one| one.name == self.told.name);
        let served = clients
            .iter()
            .filter(|client| client.is_to_move && client.server_pid.is_some());
        let not: Vec<&Client> = served.filter(|client| !is_mirrored(client)).collect();
        if not.is_empty() {
            return None;
        }
        let named = not.iter().take(NAMED_MAX);
        let named =
            named.map(|one| format!("client {}, {} from {}", one.id, one.user, one.address));
        let named: Vec<_> = named.collect();
        Some(CutoverError::not_ready(
            format!(
                "{} clients are not mirrored to {} with all that they do: {}",
                not.len(),
                self.told.name,
                named.join("; ")
            ),
            "they came before the mirror was there as it is now, or replicate, or their state was lost \
             (state_lost in pgflit proxy mirrors): have them connect anew",
        ))
    }

    /// What the server itself says: the mirror's sessions must be on the database that traffic is to go to.
    async fn elsewhere(
        &self,
        clients: &[Client],
        (to, side): (&Session, Side),
    ) -> Result<Option<CutoverError>, CutoverError> {
        let mirrors = clients.iter().flat_map(|client| &client.mirrors);
        let own = mirrors.filter(|one| one.name == self.told.name);
        let pids = own.filter_map(|one| i32::try_from(one.server_pid?).ok());
        let pids: Vec<i32> = pids.collect();
        let sql = "SELECT count(*) FROM pg_catalog.unnest($1::int[]) AS pid
                    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = pid.pid
                                         AND a.datname = pg_catalog.current_database())";
        let row = to.query_one(sql, &[&pids]).await;
        let row = row.map_err(on(side, "looking for the mirror's sessions"))?;
        Ok(match row.get::<_, i64>(0) {
            0 => None,
            count => Some(CutoverError::not_ready(
                format!(
                    "{count} sessions of mirror {} are not on the {side} that was named here",
                    self.told.name
                ),
                "see that the proxy's target is that of this command, the database included",
            )),
        })
    }
}

fn proxy_named(name: &str) -> String {
    match name {
        "" => "the proxy".to_owned(),
        name => format!("the proxy {name}"),
    }
}

/// What the mirror was not sent, or has refused, since it began, one line each.
fn losses(name: &str, statuses: &[(Process, MirrorStatus)]) -> Vec<String> {
    let mut dropped = BTreeMap::new();
    let mut errors = BTreeMap::new();
    for (_, status) in statuses {
        let left_out = [
            ("not_sampled", status.not_sampled),
            ("skipped", status.skipped),
        ];
        let left_out = left_out.map(|(why, count)| (why.to_owned(), count));
        let by_reason = status.dropped_by_reason.clone().into_iter();
        for (why, count) in by_reason.chain(left_out).filter(|(_, count)| *count > 0) {
            *dropped.entry(why).or_default() += count;
        }
        for (code, count) in &status.errors_by_sqlstate {
            *errors.entry(code.clone()).or_default() += count;
        }
    }
    let mut losses = Vec::new();
    if !dropped.is_empty() {
        losses.push(format!(
            "mirror {name} was not sent all transactions since it began: {}",
            reasons(&dropped)
        ));
    }
    if !errors.is_empty() {
        losses.push(format!(
            "statements have failed on mirror {name} since it began: {}",
            reasons(&errors)
        ));
    }
    losses
}

fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let counts = counts.iter().map(|(why, count)| format!("{why} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// The tables whose rows are more on one side than on the other, one line each.
async fn differing_counts(config: &Config) -> Result<Vec<String>, CutoverError> {
    let comparing = data::Config {
        source: config.source.clone(),
        target: config.target.clone(),
        filters: Filters::default(),
        jobs: COUNT_JOBS,
        sizes: Sizes::Estimated,
        cutting: None,
        reading: Reading {
            depth: Depth::Counts,
            sample: None,
        },
        keys_shown: 0,
        folder: None,
        resume: false,
        at_lsn: None,
    };
    // Whoever waits for it is asked to stop, and then waits no more.
    let compared = data::compare(&comparing, &Arc::default(), &Shutdown::default()).await;
    let compared = compared.map_err(|error| {
        CutoverError::not_ready(
            format!("rows cannot be counted: {}", chain(&error)),
            "see to that, and try again",
        )
    })?;
    let tables = compared.tables.iter();
    let differing = tables.filter(|table| table.verdict != Verdict::Equal);
    let mut told: Vec<String> = differing.clone().take(NAMED_MAX).map(of_table).collect();
    let more = differing.count().saturating_sub(NAMED_MAX);
    if more > 0 {
        told.push(format!("{more} more tables"));
    }
    Ok(told)
}

fn of_table(table: &Compared) -> String {
    match (&table.problem, table.source, table.target) {
        (None, Some(source), Some(target)) => format!(
            "{} has {} rows on the source and {} on the target",
            table.name, source.rows, target.rows
        ),
        (problem, ..) => {
            let problem = problem.as_deref().unwrap_or("it could not be counted");
            format!("{}: {problem}", table.name)
        }
    }
}
