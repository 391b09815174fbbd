//! The whole comparison.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::base::cause::chain;
use crate::base::{Lsn, QualifiedName, Shutdown, Side, failpoint};
use crate::catalog::filters::{self, Filters, Strictness};
use crate::catalog::parts::{self, Cutting};
use crate::catalog::server;
use crate::catalog::sizes::Sizes;
use crate::pg::{Address, Error, Session};
use crate::store::WorkDir;

use super::board::{Board, Counted, Part};
use super::digest::{Digest, Form, Sample, probe_sql};
use super::journal::{Before, Comparison, Journal};
use super::large_objects;
use super::moment::Moment;
use super::narrow::narrow;
use super::outcome::{Compared, Outcome, Verdict};
use super::progress::Progress;
use super::sequences;
use super::standstill;
use super::unit::{self, Relation, Scope, Together, Unit, index};
use super::workers::{News, Shared, count_all};
use crate::verify::error::{CompareError, on};

/// How much of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All of it.
    Rows,
    /// Only whether it is there.
    Counts,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How much of each row.
    pub depth: Depth,
    /// Which share of the rows of tables with a key; none for all.
    pub sample: Option<Sample>,
}

impl Reading {
    /// For people and to be compared.
    fn named(&self) -> String {
        let depth = match self.depth {
            Depth::Rows => "rows",
            Depth::Counts => "counts",
        };
        match self.sample {
            None => depth.to_owned(),
            Some(Sample { of_a_million }) => {
                format!("a sample of {of_a_million} {depth} of a million")
            }
        }
    }

    /// The share of `unit`'s rows that is read, and by which key; none if all are.
    pub(super) fn sample_of<'a>(&self, unit: &'a Unit) -> Option<(Sample, &'a [String])> {
        Some((self.sample?, unit.key.as_deref()?))
    }
}

/// What is to be compared, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// What is left out.
    pub filters: Filters,
    /// Sessions a server.
    pub jobs: usize,
    /// Where sizes are taken from.
    pub sizes: Sizes,
    /// How large tables are cut; none for not at all.
    pub cutting: Option<Cutting>,
    /// How much is read.
    pub reading: Reading,
    /// Keys that are told of each table that differs.
    pub keys_shown: usize,
    /// The folder where what is equal is kept; none for nowhere.
    pub folder: Option<PathBuf>,
    /// Leave out what the folder says is equal.
    pub resume: bool,
    /// The work directory of the migration that is running, whose apply stands still at one position of
    /// the source while the snapshots are taken; none for snapshots as they come.
    pub at_lsn: Option<WorkDir>,
}

/// Both servers, to be asked what there is.
struct Servers {
    source: Session,
    target: Session,
}

impl Servers {
    async fn connect(config: &Config) -> Result<Self, CompareError> {
        let connect = async |side, address| {
            let session = Session::connect(address, "compare").await;
            session.map_err(on(side, "connecting"))
        };
        Ok(Self {
            source: connect(Side::Source, &config.source).await?,
            target: connect(Side::Target, &config.target).await?,
        })
    }

    fn both(&self) -> [(Side, &Session); 2] {
        [(Side::Source, &self.source), (Side::Target, &self.target)]
    }

    fn of(&self, side: Side) -> &Session {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// What tells both databases apart from all others.
    async fn systems(&self) -> Result<[String; 2], CompareError> {
        let mut systems = Vec::with_capacity(2);
        for (side, session) in self.both() {
            let server = server::look(session).await;
            systems.push(server.map_err(on(side, "looking at it"))?.system);
        }
        <[String; 2]>::try_from(systems).map_err(|_| CompareError::SameDatabase)
    }

    /// Whether the databases have different encodings.
    async fn encodings_differ(&self) -> Result<bool, CompareError> {
        let mut encodings = Vec::with_capacity(2);
        for (side, session) in self.both() {
            let row = session
                .query_one("SELECT current_setting('server_encoding')", &[])
                .await
                .map_err(on(side, "asking for its encoding"))?;
            encodings.push(row.get::<_, String>(0));
        }
        Ok(encodings[0] != encodings[1])
    }

    async fn hash_alike(&self) -> Result<bool, CompareError> {
        let mut hashes = Vec::with_capacity(2);
        for (side, session) in self.both() {
            let row = session.query_one(&probe_sql(), &[]).await;
            let row = row.map_err(on(side, "hashing a text"))?;
            hashes.push((row.get::<_, i64>(0), row.get::<_, i64>(1)));
        }
        Ok(hashes[0] == hashes[1])
    }
}

/// Compares rows and sequences. `progress` says meanwhile how far it is.
///
/// # Errors
/// Nothing can be said of the whole. What is about a single table is in the outcome.
pub async fn compare(
    config: &Config,
    progress: &Arc<Progress>,
    shutdown: &Shutdown,
) -> Result<Outcome, CompareError> {
    let comparing = async {
        let servers = Servers::connect(config).await?;
        let systems = servers.systems().await?;
        if systems[0] == systems[1] {
            return Err(CompareError::SameDatabase);
        }
        let (moments, at) = match &config.at_lsn {
            Some(work_dir) => {
                let (moments, at) = standstill::moments(config, work_dir, &systems).await?;
                (moments, Some(at))
            }
            None => {
                let source = Moment::take(Side::Source, &config.source).await?;
                let target = Moment::take(Side::Target, &config.target).await?;
                ([source, target], None)
            }
        };
        let found = Found {
            servers,
            systems,
            at,
        };
        compare_at(config, found, moments, progress, shutdown).await
    };
    tokio::select! {
        compared = comparing => compared,
        // Servers that are counting do not answer.
        () = shutdown.overdue() => Err(CompareError::Stopped),
    }
}

/// What is compared.
struct Found {
    servers: Servers,
    systems: [String; 2],
    /// Where in the source's WAL, if that is known.
    at: Option<Lsn>,
}

async fn compare_at(
    config: &Config,
    found: Found,
    moments: [Moment; 2],
    progress: &Arc<Progress>,
    shutdown: &Shutdown,
) -> Result<Outcome, CompareError> {
    let servers = &found.servers;
    if config.reading.depth == Depth::Rows && !servers.hash_alike().await? {
        return Err(CompareError::HashesDiffer);
    }
    let converted = servers.encodings_differ().await?;
    let (mut journal, before) = open_journal(config, found.systems)?;
    let scope = scope(config, servers).await?;
    let units = units(config, servers, &scope).await?;

    let mut outcome = Outcome {
        at: found.at,
        ..Outcome::default()
    };
    let mut to_count = Vec::new();
    for unit in units {
        match known(&unit, &before) {
            Some(compared) => outcome.tables.push(compared),
            None => to_count.push(unit),
        }
    }
    // The largest first: the last to end is then a small one.
    to_count.sort_by_key(|unit| std::cmp::Reverse(unit.bytes()));
    progress.begin(outcome.tables.len(), &to_count);
    let mut all_parts = Vec::with_capacity(to_count.len());
    for unit in &to_count {
        all_parts.push(parts_of(config, servers, unit).await?);
    }
    let shared = Arc::new(Shared {
        board: Board::new(all_parts, converted),
        units: to_count,
        reading: config.reading,
        progress: Arc::clone(progress),
        shutdown: shutdown.clone(),
    });
    let moments = moments.map(Arc::new);
    failpoint::reach("about to count");
    let (tell, mut news) = mpsc::unbounded_channel();
    let counting = count_all(&shared, &moments, config.jobs, tell);
    let telling = async {
        while let Some(news) = news.recv().await {
            let place = news.0;
            let compared = judge(config, &shared, &moments, news).await;
            progress.table_known(place);
            tell_of(&compared);
            if let (Verdict::Equal, Some(journal), Some(digest)) =
                (compared.verdict, &mut journal, compared.source)
            {
                journal.equal(&compared.name, digest)?;
                failpoint::reach("table known");
            }
            outcome.tables.push(compared);
        }
        Ok::<(), CompareError>(())
    };
    let (counted, told) = tokio::join!(counting, telling);
    counted?;
    told?;
    outcome
        .tables
        .sort_by(|left, right| left.name.cmp(&right.name));
    if found.at.is_some() {
        // No stream carries large objects and sequences: they are brought over when following ends.
        return Ok(outcome);
    }
    if let Some(compared) = large_objects::compare(&moments, config.reading.depth).await {
        tell_of(&compared);
        outcome.tables.push(compared);
    }
    match sequences::compare(&servers.source, &servers.target, &scope).await {
        Ok((count, differences)) => {
            outcome.sequences = count;
            outcome.sequence_differences = differences;
        }
        Err((side, error)) => outcome.sequence_problem = Some((side, chain(&error))),
    }
    Ok(outcome)
}

fn open_journal(
    config: &Config,
    systems: [String; 2],
) -> Result<(Option<Journal>, Before), CompareError> {
    let Some(folder) = &config.folder else {
        return Ok((None, Before::new()));
    };
    let [source, target] = systems;
    let comparison = Comparison::new(
        source,
        target,
        config.filters.text(),
        config.reading.named(),
    );
    let (journal, before) = Journal::open(folder, &comparison, config.resume)?;
    if !before.is_empty() {
        tracing::info!("{} tables were found equal before", before.len());
    }
    Ok((Some(journal), before))
}

async fn scope(config: &Config, servers: &Servers) -> Result<Scope, CompareError> {
    let source = filters::resolve(&servers.source, &config.filters, Strictness::Begin).await?;
    for notice in &source.unmatched {
        tracing::warn!("{notice}");
    }
    Ok(Scope {
        source,
        target: filters::resolve(&servers.target, &config.filters, Strictness::GoOn).await?,
    })
}

async fn units(
    config: &Config,
    servers: &Servers,
    scope: &Scope,
) -> Result<Vec<Unit>, CompareError> {
    let relations = async |side| {
        let relations = unit::relations(servers.of(side), config.sizes).await;
        relations.map_err(on(side, "reading the catalog"))
    };
    let (source, target) = (
        relations(Side::Source).await?,
        relations(Side::Target).await?,
    );
    let together = together(servers).await?;
    Ok(unit::pair(source, target, scope, &together))
}

/// Tables that can only be compared with their siblings.
async fn together(servers: &Servers) -> Result<Together, CompareError> {
    let failed = |(side, error)| on(side, "reading its partitions")(error);
    let moved = unit::moved_partitions(&servers.source, &servers.target).await;
    let (partitions, places) = moved.map_err(failed)?;
    let roots = unit::shared_roots(&partitions, &places);
    let names: Vec<_> = roots.iter().collect();
    let mut below = Vec::with_capacity(2);
    for (side, session) in servers.both() {
        let found = unit::below(session, &names).await;
        below.push(found.map_err(on(side, "reading its partitions"))?);
    }
    let of = |side: Side, root: &QualifiedName| {
        let names = below[index(side)].get(root);
        names.cloned().unwrap_or_default()
    };
    let sides = |root: &QualifiedName| [of(Side::Source, root), of(Side::Target, root)];
    Ok(roots
        .iter()
        .map(|root| (root.clone(), sides(root)))
        .collect())
}

/// What need not be counted: what one side has not, what has other columns, what is known.
fn known(unit: &Unit, before: &Before) -> Option<Compared> {
    let of = |verdict, problem: String| Compared {
        name: unit.name.clone(),
        source: None,
        target: None,
        verdict,
        problem: Some(problem),
        unread: None,
        found: None,
        before: false,
    };
    if unit.of(Side::Target).is_empty() {
        return Some(of(Verdict::Different, "it is missing on the target".into()));
    }
    if unit.of(Side::Source).is_empty() {
        return Some(of(Verdict::Different, "it is only on the target".into()));
    }
    if let Some(problem) = &unit.columns_differ {
        return Some(of(Verdict::Different, problem.clone()));
    }
    let digest = *before.get(&unit.name)?;
    Some(Compared {
        source: Some(digest),
        target: Some(digest),
        before: true,
        problem: None,
        ..of(Verdict::Equal, String::new())
    })
}

/// The parts in which both sides of `unit` are read.
async fn parts_of(
    config: &Config,
    servers: &Servers,
    unit: &Unit,
) -> Result<[Vec<Part>; 2], CompareError> {
    let mut sides = [Vec::new(), Vec::new()];
    for (side, session) in servers.both() {
        for (at, relation) in unit.of(side).iter().enumerate() {
            let cut = cut(config, session, relation).await;
            let cut = cut.map_err(on(side, "cutting tables into parts"))?;
            sides[index(side)].extend(cut.into_iter().map(|part| Part {
                relation: at,
                ..part
            }));
        }
    }
    Ok(sides)
}

async fn cut(config: &Config, session: &Session, relation: &Relation) -> Result<Vec<Part>, Error> {
    let whole = vec![Part {
        relation: 0,
        condition: None,
        bytes: relation.table.bytes,
    }];
    let Some(cutting) = config.cutting else {
        return Ok(whole);
    };
    let planned = match parts::plan(session, std::slice::from_ref(&relation.table), cutting).await {
        Ok(planned) => planned,
        // Reading it will say so, and of which table.
        Err(error) if error.sqlstate() == Some("42501") => return Ok(whole),
        Err(error) => return Err(error),
    };
    if planned.is_empty() {
        return Ok(whole);
    }
    let part = |part: crate::store::PartRow| Part {
        relation: 0,
        condition: Some(part.condition),
        bytes: part.bytes,
    };
    Ok(planned.into_iter().map(part).collect())
}

/// What the counts of a unit mean; looks for the rows that differ, if some do.
async fn judge(
    config: &Config,
    shared: &Shared,
    moments: &[Arc<Moment>; 2],
    (at, counted): News,
) -> Compared {
    let unit = &shared.units[at];
    let uncompared = |side: Side, problem: String| Compared {
        name: unit.name.clone(),
        source: None,
        target: None,
        verdict: Verdict::Uncompared,
        problem: Some(format!("the {side} could not be read: {problem}")),
        unread: Some(side),
        found: None,
        before: false,
    };
    let ([source, target], form) = match counted {
        Counted::Failed(side, error) => return uncompared(side, chain(&error)),
        Counted::Both(digests, form) => (digests, form),
    };
    let compared = Compared {
        name: unit.name.clone(),
        source: Some(source),
        target: Some(target),
        verdict: Verdict::Equal,
        problem: None,
        unread: None,
        found: None,
        before: false,
    };
    if source == target {
        return compared;
    }
    let (found, problem) = rows_that_differ(config, unit, form, moments, [source, target]).await;
    Compared {
        verdict: Verdict::Different,
        found,
        problem,
        ..compared
    }
}

/// And why they could not be found, if that is so.
async fn rows_that_differ(
    config: &Config,
    unit: &Unit,
    form: Form,
    moments: &[Arc<Moment>; 2],
    [source, target]: [Digest; 2],
) -> (Option<super::outcome::Found>, Option<String>) {
    if config.keys_shown == 0 || config.reading.depth == Depth::Counts {
        return (None, None);
    }
    if unit.key.is_none() {
        let problem = match source.rows == target.rows {
            true => "as many rows, and others; it has no key to tell which",
            false => "it has no key to tell which rows differ",
        };
        return (None, Some(problem.into()));
    }
    tracing::info!("{} differs: looking for the rows that do", unit.name);
    let moments = [moments[0].as_ref(), moments[1].as_ref()];
    match narrow(unit, form, &config.reading, moments, config.keys_shown).await {
        Ok(found) => (found, None),
        Err((side, error)) => {
            let problem = format!(
                "which rows differ could not be found out on the {side}: {}",
                chain(&error)
            );
            (None, Some(problem))
        }
    }
}

fn tell_of(compared: &Compared) {
    let name = &compared.name;
    match compared.verdict {
        Verdict::Equal => {
            let rows = compared.source.map_or(0, |digest| digest.rows);
            tracing::info!("{name} is equal: {rows} rows");
        }
        Verdict::Different => tracing::warn!("{name} differs"),
        Verdict::Uncompared => tracing::warn!(
            "{name} is not compared: {}",
            compared.problem.as_deref().unwrap_or_default()
        ),
    }
}
