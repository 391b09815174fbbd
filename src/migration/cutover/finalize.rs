//! The end of a migration: there is no way back any more.

use std::path::Path;

use super::config::Config;
use super::error::CutoverError;
use super::leg::{Leg, drop_origin};
use super::{exchange, fence, preflight, recover};
use crate::base::cause::chain;
use crate::base::milestone::STAGE;
use crate::base::{Side, failpoint};
use crate::pg::Session;
use crate::store::Lock;

/// What was done and what remains, for people.
#[derive(Debug, Clone, Default)]
pub struct Finalized {
    /// What was removed.
    pub done: Vec<String>,
    /// What is still there.
    pub remains: Vec<String>,
}

/// Ends the stream back, drops its slot and publication, and leaves the fence on the old side unless
/// `lifts_fence`. `proxy_file`, the proxy's configuration, is written anew if it asks for that.
///
/// # Errors
/// Traffic was never moved; a server refuses; the file is not written.
pub async fn finalize(
    config: &Config,
    lifts_fence: bool,
    proxy_file: Option<&Path>,
) -> Result<Finalized, CutoverError> {
    let _lock = Lock::take(&config.work_dir.root.join("cutover.lock"))?;
    let mut store = config.work_dir.open_store()?;
    recover::recover(config, &mut store).await?;
    let last = store.last_switch()?;
    let Some(last) = last.filter(|last| last.to == Side::Target) else {
        return Err(CutoverError::not_ready(
            "traffic goes to the source",
            "move it first, with pgflit cutover",
        ));
    };
    let mut finalized = Finalized::default();
    let target = config.connect(Side::Target).await?;
    let source = config.connect(Side::Source).await;
    let back = Leg::back(&Config {
        to: Side::Target,
        ..config.clone()
    });
    if let (Err(error), Some(who)) = (&source, back.who_streams()) {
        return Err(CutoverError::not_ready(
            format!("the stream back cannot come to its end: {}", chain(error)),
            format!(
                "start the source; or stop that stream with kill -TERM, if the source has served its \
                 time, and run this command again ({who})"
            ),
        ));
    }
    if back.work_dir.has_begun() {
        // What clients have written by now still goes back.
        let now = preflight::wal_position(&target, Side::Target).await?;
        back.end(now).await?;
        failpoint::reach("way back ended");
        if !back.store()?.sentinel()?.is_finished() {
            // Nobody streamed, and nobody will: it is said, for the source may still be looked at.
            finalized.remains.push(
                "the source as the stream back has left it: it had ended before, and what was written \
                 since is on the target alone"
                    .to_owned(),
            );
        }
        back.drop_slot(&target).await?;
        failpoint::reach("way back dropped");
        finalized.done.push(
            "the stream back has ended; its slot and publication on the target are gone".to_owned(),
        );
    }
    match source {
        Ok(source) => {
            if back.work_dir.has_begun() {
                let origin = back.run()?.origin;
                let source = (&config.source, Side::Source);
                drop_origin(source, origin.as_deref()).await?;
                failpoint::reach("way back forgotten");
            }
            leave_source(&source, lifts_fence.then_some(last.attempt), &mut finalized).await?;
        }
        // It may be switched off by now.
        Err(error) => finalized.remains.push(format!(
            "the source, which is not reached: {}",
            chain(&error)
        )),
    }
    if let Some(file) = proxy_file
        && let Some(kept) = exchange::exchange(&config.work_dir, file)?
    {
        finalized.done.push(format!(
            "{} names the target as its source now, and no target; the old one is {}",
            file.display(),
            kept.display()
        ));
    }
    finalized.remains.push(format!(
        "the work directory {}, which the proxy reads for as long as it runs",
        config.work_dir.root.display()
    ));
    tracing::info!(target: STAGE, "attempt {} is final", last.attempt);
    Ok(finalized)
}

async fn leave_source(
    source: &Session,
    lifts_fence_of: Option<u64>,
    finalized: &mut Finalized,
) -> Result<(), CutoverError> {
    if let Some(attempt) = lifts_fence_of {
        fence::lift_for_good(source, Side::Source, attempt).await?;
        failpoint::reach("fence lifted");
        finalized.done.push(
            "the fence on the source is lifted: it takes writes, which nobody carries on"
                .to_owned(),
        );
    } else if fence::is_up(source, Side::Source).await? {
        finalized.remains.push(
            "the fence on the source, so that nobody writes there by mistake; pgflit finalize \
             --lift-fence takes it away"
                .to_owned(),
        );
    }
    Ok(())
}
