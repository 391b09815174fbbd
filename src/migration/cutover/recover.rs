//! What an attempt that was killed has left: ended before anything else begins.

use super::attempt::{After, Config, undo_rest};
use super::error::CutoverError;
use super::leg::Leg;
use super::proxies::{Proxies, is_nobody};
use crate::base::Lsn;
use crate::proxy::authority::{Decision, decision};
use crate::store::{Cutover, CutoverState, Store};

/// Ends what the last attempt has left: to its end if it was decided, else by undoing it.
///
/// # Errors
/// The server that decides cannot be asked; a proxy does not answer.
pub async fn recover(config: &Config, store: &mut Store) -> Result<(), CutoverError> {
    let Some(last) = store.last_cutover()? else {
        return Ok(());
    };
    if last.state.is_over() {
        return Ok(());
    }
    if last.state == CutoverState::Begun {
        // Nobody was held, and nothing is to be undone.
        store.set_cutover_state(last.attempt, CutoverState::Aborted)?;
        return Ok(());
    }
    // The way it was meant, which may be the other one.
    let meant = Config {
        to: last.to,
        ..config.clone()
    };
    tracing::warn!(
        "attempt {} to move traffic to the {} was interrupted: it is ended first",
        last.attempt,
        last.to
    );
    let to = meant.connect(last.to).await?;
    let decided = decision::decide(&to, last.attempt, Decision::Aborted, "").await;
    let decided = decided.map_err(CutoverError::Unknown)?;
    match decided.decision {
        Decision::Aborted => {
            tell(&meant.proxies(), |proxies| proxies.abort(last.attempt))?;
            let from = meant.connect(last.to.other()).await?;
            undo_rest(&meant, (&from, store), last.attempt).await?;
            store.set_cutover_state(last.attempt, CutoverState::Aborted)?;
            tracing::info!("attempt {} is undone", last.attempt);
        }
        Decision::Switched => {
            tell(&meant.proxies(), |proxies| {
                proxies.switch(last.attempt, last.to)
            })?;
            go_on(&meant, &last, decided.lsn, store).await?;
            tracing::info!(
                "attempt {} is done: traffic goes to the {}",
                last.attempt,
                last.to
            );
        }
    }
    Ok(())
}

async fn go_on(
    meant: &Config,
    last: &Cutover,
    decided_at: Lsn,
    store: &mut Store,
) -> Result<(), CutoverError> {
    let before = store.switch_before(last.attempt)?;
    let current = Leg::current(meant, before.as_ref());
    let back = Leg::back(meant);
    let from = meant.connect(last.to.other()).await?;
    store.set_cutover_state(last.attempt, CutoverState::Switched)?;
    let after = After {
        config: &Config {
            reverse: back.work_dir.has_begun(),
            ..meant.clone()
        },
        current: &current,
        back: &back,
        number: last.attempt,
        marker: last.marker.unwrap_or_default(),
        decided_at,
    };
    after.run(&from, store).await
}

/// Tells the proxies, if any run: one that starts later finds out by itself.
fn tell(
    proxies: &Proxies,
    say: impl FnOnce(&Proxies) -> Result<(), CutoverError>,
) -> Result<(), CutoverError> {
    match say(proxies) {
        Err(error) if is_nobody(&error) => Ok(()),
        said => said,
    }
}
