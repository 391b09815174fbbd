//! What comes after the decision, by the attempt itself or by whoever goes on with one that was killed.

use std::process::Command;

use super::carried;
use super::config::Config;
use super::error::{CutoverError, on};
use super::leg::Leg;
use crate::base::{Lsn, Side, failpoint};
use crate::pg::Session;
use crate::proxy::authority::Record;
use crate::proxy::coordination::tables;
use crate::store::{CutoverState, Store};

/// What comes after the decision. All of it may be done again.
pub(super) struct After<'a> {
    pub(super) config: &'a Config,
    /// None where a mirror has fed the other side.
    pub(super) current: Option<&'a Leg>,
    pub(super) back: &'a Leg,
    pub(super) number: u64,
    pub(super) marker: Lsn,
    pub(super) decided_at: Lsn,
}

impl After<'_> {
    /// Gives what was found to be left behind.
    pub(super) async fn run(
        &self,
        from: &Session,
        store: &mut Store,
    ) -> Result<Vec<String>, CutoverError> {
        let config = self.config;
        let record = Record {
            serves: config.to,
            attempt: self.number,
            ..Record::default()
        };
        record.write(&config.work_dir.authority_path())?;
        failpoint::reach("record written");
        if let Some(command) = &config.switch_command {
            run_hook(command, config.to)?;
        }
        if let Some(current) = self.current {
            current.end(self.marker).await?;
            failpoint::reach("old stream ended");
            current.drop_slot(from).await?;
            failpoint::reach("old slot dropped");
        }
        let noted = tables::end_note(from).await;
        noted.map_err(on(config.to.other(), "ending the attempt"))?;
        // Before anything comes back, which would count as something that was done there.
        let has_begun = config.reverse && self.back.store()?.sentinel()?.apply;
        let left_behind = match self.current.filter(|_| !has_begun) {
            None => Vec::new(),
            Some(current) => carried::look_late(config, current, from).await,
        };
        for one in &left_behind {
            tracing::error!("{one}");
        }
        if config.reverse && !self.back.is_running() {
            self.back.begin_at(self.decided_at)?;
            failpoint::reach("way back set");
            // What comes back is written where the stream there has ended.
            let (from, to) = config.ends();
            let pid = self.back.start((to, from))?;
            tracing::info!(
                "changes go back to the {} now (process {pid})",
                config.to.other()
            );
            self.back.until_running().await?;
        }
        failpoint::reach("way back begun");
        store.set_cutover_state(self.number, CutoverState::Done)?;
        Ok(left_behind)
    }
}

/// Moves the application by what the operator has given.
fn run_hook(command: &str, to: Side) -> Result<(), CutoverError> {
    let failed = |source| CutoverError::Start {
        what: "the switch command".to_owned(),
        source,
    };
    let status = Command::new("/bin/sh")
        .args(["-c", command])
        .env("PGFLIT_SERVES", to.as_str())
        .status()
        .map_err(failed)?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(std::io::Error::other(format!(
            "{status}; traffic is to go to the {to}, which is decided: run it by hand"
        )))),
    }
}
