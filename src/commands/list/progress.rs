//! `list progress`: how far a copy is, from the store of its work directory.

use serde::Serialize;

use super::scope::{Shape, json};
use crate::cli::options::ListScope;
use crate::commands::{CommandError, place};
use crate::migration::summary::{RunSummary, Summary};
use crate::report::progress::{Picture, State, Stored, picture_of, text};
use crate::report::{stdout, summary};
use crate::store::{Lock, WorkDir};

#[derive(Debug, Serialize)]
struct Progress {
    state: State,
    #[serde(flatten)]
    picture: Picture,
}

/// How far the copy is now.
pub(super) fn progress(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let work_dir = place::work_dir(&scope.work_dir);
    let store = work_dir.open_store()?;
    let stored = Stored::read(&store, is_held(&work_dir))?;
    let picture = picture_of(&stored);
    match shape {
        Shape::Table => Ok(text(&picture, stored.state)),
        Shape::Json => json(&Progress {
            state: stored.state,
            picture,
        }),
    }
}

/// What a copy moved and how long it took. The file is written when the copy is complete; what
/// came of the run since is in the store.
pub(super) fn summarize(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let work_dir = place::work_dir(&scope.work_dir);
    let store = work_dir.open_store()?;
    let mut told = Summary::read(&work_dir)?;
    told.run = RunSummary {
        endpos: told.run.endpos,
        ..RunSummary::read(&store)?
    };
    match shape {
        Shape::Table => Ok(summary::text(&told, stdout::page())),
        Shape::Json => json(&told),
    }
}

fn is_held(work_dir: &WorkDir) -> bool {
    Lock::is_held(&work_dir.lock_path())
}
