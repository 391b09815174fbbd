//! Materialized views, once everything that they may read is there.

use crate::base::cause::chain;
use crate::base::{QualifiedName, Shutdown};
use crate::catalog::materialized_views::{MaterializedView, materialized_views};
use crate::clone::completion::Tidying;
use crate::clone::materialized_views::{self as clone, refresh};
use crate::pg::{Address, Session};

use super::steps::{BaseCopy, Choices, MATERIALIZED_VIEWS_STEP};
use crate::migration::error::{MigrationError, on_source, on_target};

impl BaseCopy<'_> {
    /// Refreshes those that are populated on the source and not on the target yet.
    pub(super) async fn materialized_views(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = MATERIALIZED_VIEWS_STEP;
        self.go_on()?;
        if self.store.step_is_done(STEP)? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let config = self.config;
        let wanted = wanted(&config.source, &self.target, Wanted::Empty).await?;
        refresh_all(&config.target, &config.choices, wanted, self.shutdown)?;
        Ok(self.store.finish_step(STEP)?)
    }
}

/// Refreshes all that are populated on the source, if that was asked for.
pub async fn refresh_again(
    source: &Address,
    target: &Address,
    choices: &Choices,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    if !choices.refresh_matviews {
        return Ok(());
    }
    let session = Session::connect(target, "materialized views").await;
    let session = session.map_err(on_target("connecting"))?;
    let wanted = wanted(source, &session, Wanted::All).await?;
    refresh_all(target, choices, wanted, shutdown)
}

/// Which of the target's are refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that hold nothing yet.
    Empty,
    /// All.
    All,
}

async fn wanted(
    source: &Address,
    target: &Session,
    which: Wanted,
) -> Result<Vec<MaterializedView>, MigrationError> {
    let failed = on_source("reading its materialized views");
    let source = Session::connect(source, "materialized views")
        .await
        .map_err(&failed)?;
    let here = materialized_views(&source).await.map_err(&failed)?;
    let there = materialized_views(target).await;
    let there = there.map_err(on_target("reading its materialized views"))?;
    Ok(choose(&here, there, which))
}

/// Those of `there` to refresh: what holds nothing on the source holds nothing on the target.
fn choose(
    here: &[MaterializedView],
    there: Vec<MaterializedView>,
    which: Wanted,
) -> Vec<MaterializedView> {
    let populated: Vec<&QualifiedName> = here
        .iter()
        .filter(|view| view.is_populated)
        .map(|view| &view.name)
        .collect();
    there
        .into_iter()
        .filter(|view| populated.contains(&&view.name))
        .filter(|view| which == Wanted::All || !view.is_populated)
        .collect()
}

fn refresh_all(
    target: &Address,
    choices: &Choices,
    views: Vec<MaterializedView>,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let all = views.len();
    if all == 0 {
        return Ok(());
    }
    let analyzes = [Tidying::Analyze, Tidying::VacuumAnalyze].map(Some);
    let config = clone::Config {
        target,
        jobs: choices.restore_jobs,
        analyze: analyzes.contains(&choices.tidying),
        shutdown,
    };
    let errors = refresh(&config, views);
    if shutdown.asked() {
        return Err(MigrationError::Stopped);
    }
    for error in &errors {
        tracing::error!("{}", chain(error));
    }
    let failed = errors.len();
    match errors.into_iter().next() {
        None => {
            tracing::info!("{all} materialized views refreshed");
            Ok(())
        }
        Some(first) => Err(MigrationError::Refresh { failed, all, first }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, is_populated: bool) -> MaterializedView {
        MaterializedView {
            name: QualifiedName::new("public", name),
            is_populated,
            level: 0,
        }
    }

    #[test]
    fn what_is_refreshed_is_populated_on_the_source_and_there_on_the_target() {
        let here = [view("a", true), view("b", false), view("left_out", true)];
        let there = || vec![view("a", false), view("b", false), view("own", false)];
        assert_eq!(choose(&here, there(), Wanted::Empty), [view("a", false)]);
        let done = vec![view("a", true)];
        assert_eq!(choose(&here, done.clone(), Wanted::Empty), []);
        assert_eq!(choose(&here, done, Wanted::All), [view("a", true)]);
    }
}
