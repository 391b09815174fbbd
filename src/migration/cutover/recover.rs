//! What an attempt that was killed has left: ended before anything else begins.

use super::after::After;
use super::attempt::undo_rest;
use super::config::Config;
use super::error::CutoverError;
use super::fence;
use super::leg::Leg;
use super::proxies::{Proxies, Via, is_nobody};
use crate::base::Lsn;
use crate::base::milestone::STAGE;
use crate::proxy::authority::{Decision, decision};
use crate::store::{Cutover, CutoverState, Store};

/// Ends what the last attempt has left: to its end if it was decided, else by undoing it. Gives it if
/// traffic was moved by it.
///
/// # Errors
/// The server that decides cannot be asked; a proxy does not answer.
pub async fn recover(config: &Config, store: &mut Store) -> Result<Option<Cutover>, CutoverError> {
    let Some(last) = store.last_cutover()? else {
        return Ok(None);
    };
    if last.state.is_over() {
        return Ok(None);
    }
    if last.state == CutoverState::Begun {
        // Nobody was held, and nothing is to be undone.
        store.set_cutover_state(last.attempt, CutoverState::Aborted)?;
        return Ok(None);
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
            let from = meant.connect(last.to.other()).await?;
            fence::lift(&from, last.to.other()).await?;
            let via = (&from, last.to.other());
            let proxies = find(&meant, via).await?;
            unless_nobody(proxies.abort(last.attempt, false, via).await)?;
            undo_rest(&meant, &from, last.attempt).await?;
            store.set_cutover_state(last.attempt, CutoverState::Aborted)?;
            tracing::info!(target: STAGE, "attempt {} is undone", last.attempt);
            Ok(None)
        }
        Decision::Switched => {
            let via = (&to, last.to);
            let proxies = find(&meant, via).await?;
            unless_nobody(proxies.switch(last.attempt, last.to, via).await)?;
            go_on(&meant, &last, decided.lsn, store).await?;
            tracing::info!(
                target: STAGE,
                "attempt {} is done: traffic goes to the {}",
                last.attempt,
                last.to
            );
            Ok(Some(last))
        }
    }
}

async fn go_on(
    meant: &Config,
    last: &Cutover,
    decided_at: Lsn,
    store: &mut Store,
) -> Result<(), CutoverError> {
    let before = store.switch_before(last.attempt)?;
    let current = Leg::current(meant, before.as_ref());
    // Where nothing was ever followed a mirror has fed the other side.
    let by_mirror = !Leg::first(meant).is_followed()?;
    let back = Leg::back(meant);
    let from = meant.connect(last.to.other()).await?;
    store.set_cutover_state(last.attempt, CutoverState::Switched)?;
    let after = After {
        config: &Config {
            reverse: last.has_way_back && back.is_open()?,
            ..meant.clone()
        },
        current: (!by_mirror).then_some(&current),
        back: &back,
        number: last.attempt,
        marker: last.marker.unwrap_or_default(),
        decided_at,
    };
    after.run(&from, store).await.map(drop)
}

/// The proxies that are there.
async fn find(meant: &Config, via: Via<'_>) -> Result<Proxies, CutoverError> {
    let mut proxies = meant.proxies();
    proxies.find(via).await?;
    Ok(proxies)
}

/// Proxies that do not run need not be told: one that starts later finds out by itself.
fn unless_nobody(told: Result<(), CutoverError>) -> Result<(), CutoverError> {
    match told {
        Err(error) if is_nobody(&error) => Ok(()),
        told => told,
    }
}
