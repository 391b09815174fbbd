//! What a running copy says, shown.

use std::sync::Arc;

use crate::migration::progress::Progress;
use crate::report::progress::{Display, Sample, Shown};
use crate::store::{Store, WorkDir};

/// Shows how far `progress` is until the answer is dropped.
pub(super) fn show(shown: Shown, progress: &Arc<Progress>, work_dir: &WorkDir) -> Display {
    let progress = Arc::clone(progress);
    let work_dir = work_dir.clone();
    let mut store = None;
    Display::start(shown, move || {
        if store.is_none() && work_dir.has_begun() {
            // It may be in the making; the next look comes soon.
            store = work_dir.open_store().ok();
        }
        let mut sample = store.as_ref().map_or_else(Sample::default, of_store);
        sample.view = progress.view();
        sample
    })
}

/// Steps and positions. What cannot be read is left out: it is a report.
fn of_store(store: &Store) -> Sample {
    let follows = matches!(store.run(), Ok(Some(run)) if run.slot.is_some());
    Sample {
        steps: store.steps().unwrap_or_default(),
        stream: follows.then(|| store.sentinel().ok()).flatten(),
        ..Sample::default()
    }
}
