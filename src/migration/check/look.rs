//! The checks in order, and what they all need to know.

use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Side};
use crate::catalog::discovery;
use crate::catalog::filters::{self, Filters, Selection, Strictness};
use crate::catalog::server::{self, Server};
use crate::catalog::sizes::Sizes;
use crate::migration::base_copy::Choices;
use crate::migration::error::{MigrationError, on_source, on_target, to_source, to_target};
use crate::migration::identities;
use crate::pg::{self, Address, Session};
use crate::store::{TableRow, WorkDir};

use super::finding::{Finding, Findings, counted};
use super::{
    collations, connections, disk, extensions, identities as identity, objects, parameters,
    privileges, servers, settings, slot, target,
};

/// The migration that is meant.
#[derive(Debug)]
pub struct Config {
    /// Where everything is.
    pub source: Address,
    /// Where everything is to be.
    pub target: Address,
    /// Where the migration would keep its files.
    pub work_dir: WorkDir,
    /// What is left out.
    pub filters: Filters,
    /// How it would be copied.
    pub copy: Choices,
    /// How changes would be captured; none without `--follow`.
    pub follow: Option<Following>,
    /// Checks that warn where they would fail, of [`IDS`](super::IDS): somebody knows better.
    pub skip: Vec<String>,
}

/// How changes would be captured.
#[derive(Debug, Clone)]
pub struct Following {
    /// The slot to make.
    pub slot: String,
    /// The output plugin.
    pub plugin: &'static str,
    /// The publication to make; only pgoutput reads one.
    pub publication: Option<String>,
    /// Whether tables are given a replica identity until the end: `clone --follow --yes`.
    pub gives_identities: bool,
    /// The name that the target keeps the position under.
    pub origin: String,
    /// Whether it must be an origin: `--progress-tracking origin`.
    pub origin_is_demanded: bool,
    /// Where streaming is to end.
    pub endpos: Option<Lsn>,
    /// What segments may take of the disk.
    pub disk_limit: Option<ByteSize>,
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// By every check that could be made.
    pub findings: Vec<Finding>,
    /// Why there are no more: servers that cannot be reached, or have gone away meanwhile.
    pub failures: Vec<MigrationError>,
}

/// One server, as the checks see it.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) side: Side,
    pub(super) address: Address,
    pub(super) session: Session,
    pub(super) server: Server,
    pub(super) is_superuser: bool,
}

impl Looked {
    /// Names what was being done on this side when it failed.
    pub(super) fn on(&self, doing: &'static str) -> impl Fn(pg::Error) -> MigrationError {
        on(self.side, doing)
    }

    /// The major version.
    pub(super) fn major(&self) -> u32 {
        self.session.server_version().major()
    }
}

/// Names the side and what was being done there when it failed.
pub(super) fn on(side: Side, doing: &'static str) -> impl Fn(pg::Error) -> MigrationError {
    move |source| match side {
        Side::Source => on_source(doing)(source),
        Side::Target => on_target(doing)(source),
    }
}

/// Both servers, and what is moved between them.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) config: &'a Config,
    pub(super) source: Looked,
    pub(super) target: Looked,
    pub(super) selection: Selection,
    /// The tables whose rows are copied.
    pub(super) tables: Vec<TableRow>,
}

impl Scene<'_> {
    pub(super) fn both(&self) -> [&Looked; 2] {
        [&self.source, &self.target]
    }
}

/// A table that somebody has locked is not waited for for long: its size is looked at.
const PATIENCE: &str = "SET lock_timeout = '5s'";

/// Looks at everything. Nothing is changed anywhere.
///
/// # Errors
/// The filters cannot be meant for this source. A server that is not there is no error: the report
/// says so, and what was found before.
pub async fn look(config: &Config) -> Result<Report, MigrationError> {
    let mut found = Findings::default();
    disk::folder(config, &mut found);
    let mut failures = Vec::new();
    let mut looked = Vec::new();
    for side in [Side::Source, Side::Target] {
        match enter(config, side, &mut found).await {
            Ok(Some(one)) => looked.push(one),
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
    }
    // The checks compare; with one server alone there is little to say.
    if let Ok([source, target]) = <[Looked; 2]>::try_from(looked)
        && let Err(error) = look_at(config, source, target, &mut found).await
    {
        match error {
            MigrationError::Filters(_) => return Err(error),
            error => failures.push(error),
        }
    }
    found.skip(&config.skip);
    Ok(Report {
        findings: found.into_vec(),
        failures,
    })
}

/// The tables whose rows are copied, and a line about them.
async fn tables(
    source: &Looked,
    selection: &Selection,
    found: &mut Findings,
) -> Result<Vec<TableRow>, MigrationError> {
    let tables = discovery::tables(&source.session, Sizes::Estimated).await;
    let tables = tables.map_err(on_source("reading the catalog"));
    let Some(mut tables) = found.seen("tables", Side::Source, tables)? else {
        return Ok(Vec::new());
    };
    selection.filter_tables(&mut tables);
    let bytes = tables.iter().map(|table| table.bytes).sum();
    found.pass(
        "tables",
        Side::Source,
        format!(
            "{} to copy, {}",
            counted(tables.len(), "table"),
            ByteSize(bytes)
        ),
    );
    Ok(tables)
}

/// Connects to one of them; none, and a line about it, if nothing there can be understood.
async fn enter(
    config: &Config,
    side: Side,
    found: &mut Findings,
) -> Result<Option<Looked>, MigrationError> {
    let (address, connecting): (_, Box<dyn Fn(pg::Error) -> MigrationError>) = match side {
        Side::Source => (&config.source, Box::new(to_source(&config.source))),
        Side::Target => (&config.target, Box::new(to_target(&config.target))),
    };
    let session = Session::connect(address, "check").await;
    let session = session.map_err(connecting)?;
    if !servers::version(side, session.server_version(), found) {
        return Ok(None);
    }
    let looking = on(side, "looking at the server");
    let server = server::look(&session).await.map_err(&looking)?;
    session.batch(PATIENCE).await.map_err(&looking)?;
    let sql = "SELECT current_setting('is_superuser')::bool";
    let is_superuser = session.query_one(sql, &[]).await.map_err(looking)?.get(0);
    Ok(Some(Looked {
        side,
        address: address.clone(),
        session,
        server,
        is_superuser,
    }))
}

async fn look_at(
    config: &Config,
    source: Looked,
    target: Looked,
    found: &mut Findings,
) -> Result<(), MigrationError> {
    let is_same = servers::compare(&source, &target, found);
    let selection = filters::resolve(&source.session, &config.filters, Strictness::Begin).await?;
    let mut tables = tables(&source, &selection, found).await?;
    if let (Some(follow), false) = (&config.follow, tables.is_empty())
        && follow.publication.is_some()
    {
        identities::leave_to_publication(&source.session, &mut tables).await?;
    }
    let scene = Scene {
        config,
        source,
        target,
        selection,
        tables,
    };
    servers::look(&scene, found).await?;
    settings::look(&scene, found).await?;
    connections::look(&scene, found).await?;
    parameters::look(&scene, found).await?;
    privileges::look(&scene, found).await?;
    objects::look(&scene, found).await?;
    identity::look(&scene, found).await?;
    extensions::look(&scene, found).await?;
    collations::look(&scene, found).await?;
    slot::look(&scene, found).await?;
    if !is_same {
        target::look(&scene, found).await?;
    }
    disk::look(&scene, found).await?;
    for looked in scene.both() {
        // Whoever may not see that has been told so by the checks of settings.
        let pending = settings::pending(looked).await.unwrap_or_default();
        found.wait_for_restart(looked.side, &pending);
    }
    Ok(())
}
