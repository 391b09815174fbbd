//! The whole comparison of definitions.

use crate::base::Shutdown;
use crate::catalog::filters::{self, Filters, Strictness};
use crate::catalog::server;
use crate::pg::{Address, Session};
use crate::verify::error::{CompareError, on};

use super::diff::{Difference, Side, differences};
use super::kinds::Versions;
use super::read::read;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// What is left out.
    pub filters: Filters,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many objects of the source were compared.
    pub objects: usize,
    /// Those that are not the same.
    pub differences: Vec<Difference>,
}

/// Compares the definitions of everything.
///
/// # Errors
/// A server fails; the filters are wrong.
pub async fn compare(config: &Config, shutdown: &Shutdown) -> Result<Outcome, CompareError> {
    tokio::select! {
        compared = compare_all(config) => compared,
        () = shutdown.overdue() => Err(CompareError::Stopped),
    }
}

async fn compare_all(config: &Config) -> Result<Outcome, CompareError> {
    let connect = async |side, address| {
        let session = Session::connect(address, "compare").await;
        session.map_err(on(side, "connecting"))
    };
    let source = connect(Side::Source, &config.source).await?;
    let target = connect(Side::Target, &config.target).await?;
    let system = async |side, session| {
        let server = server::look(session).await;
        server
            .map_err(on(side, "looking at it"))
            .map(|server| server.system)
    };
    if system(Side::Source, &source).await? == system(Side::Target, &target).await? {
        return Err(CompareError::SameDatabase);
    }
    let selected = filters::resolve(&source, &config.filters, Strictness::Begin).await?;
    for notice in &selected.unmatched {
        tracing::warn!("{notice}");
    }
    let selected_there = filters::resolve(&target, &config.filters, Strictness::GoOn).await?;
    let majors = [&source, &target].map(|session| session.server_version().major());
    let versions = |own: u32, other: u32| Versions { own, other };
    let on_source = read(&source, versions(majors[0], majors[1]), &selected).await;
    let on_source = on_source.map_err(|(kind, error)| on(Side::Source, kind)(error))?;
    let on_target = read(&target, versions(majors[1], majors[0]), &selected_there).await;
    let mut on_target = on_target.map_err(|(kind, error)| on(Side::Target, kind)(error))?;
    // What is left out on the source is left out.
    for name in &on_source.left_out {
        on_target.objects.remove(name);
    }
    Ok(Outcome {
        objects: on_source.objects.len(),
        differences: differences(
            &on_source.objects,
            &on_target.objects,
            majors[0] != majors[1],
        ),
    })
}
