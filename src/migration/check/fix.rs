//! Carrying out what would mend a finding.

use std::time::{Duration, Instant};

use crate::base::Side;
use crate::migration::error::{MigrationError, on_source, on_target, to_source, to_target};
use crate::pg::{self, Address, Session};

use super::finding::{Effect, Fix};

/// Others who wait behind a lock of ours wait for so long at most.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'; SET synchronous_commit = on";

/// How long a server is given to read its configuration again.
const RELOAD_MAX: Duration = Duration::from_secs(5);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs its statements, each by itself, and has the server read its configuration where that is
/// needed: sessions that begin afterwards see it.
///
/// # Errors
/// The server is not there, or refuses one of them; those before it are done.
pub async fn carry_out(fix: &Fix, address: &Address) -> Result<(), MigrationError> {
    let doing = "mending what was found";
    let failed: Box<dyn Fn(pg::Error) -> MigrationError> = match fix.side {
        Side::Source => Box::new(on_source(doing)),
        Side::Target => Box::new(on_target(doing)),
    };
    let session = connect(fix.side, address).await?;
    session.batch(LOCK_TIMEOUT).await.map_err(&failed)?;
    for statement in &fix.statements {
        session.batch(statement).await.map_err(&failed)?;
    }
    if fix.effect == Effect::Now {
        return Ok(());
    }
    let sql = "SELECT pg_conf_load_time()::text FROM pg_reload_conf()";
    let before: String = session.query_one(sql, &[]).await.map_err(&failed)?.get(0);
    let deadline = Instant::now() + RELOAD_MAX;
    loop {
        // A new session has what the server had when it began.
        let session = connect(fix.side, address).await?;
        let now = session
            .query_one("SELECT pg_conf_load_time()::text", &[])
            .await;
        if now.map_err(&failed)?.get::<_, String>(0) != before || Instant::now() >= deadline {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn connect(side: Side, address: &Address) -> Result<Session, MigrationError> {
    let session = Session::connect(address, "check --fix").await;
    match side {
        Side::Source => session.map_err(to_source(address)),
        Side::Target => session.map_err(to_target(address)),
    }
}
