//! What changes something. Each answers with its tag, or with why it did not happen.

use std::time::Duration;

use super::command::Command;
use super::tasks::Move;
use crate::proxy::control::Facts;
use crate::proxy::notice::Refusal;
use crate::proxy::pause::{Hold, Paused};
use crate::proxy::reload;
use crate::proxy::siblings::Siblings;

/// How long maintenance lasts unless somebody ends it: longer than a restart with a long recovery,
/// and not for ever when it is forgotten.
const MAINTENANCE_MAX: Duration = Duration::from_secs(3600);

/// Something was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// What is answered.
    pub tag: &'static str,
    /// A pause that nobody would know of if this answer were lost.
    pub began: Option<Hold>,
}

fn done(tag: &'static str) -> Result<Done, Refusal> {
    Ok(Done { tag, began: None })
}

/// Does it. Commands that only read, and those that [`begin`] a task, have no effect here. Cancel safe: a
/// pause that nobody waits for is none.
///
/// # Errors
/// Why not, for the client.
pub async fn perform(facts: &Facts, command: Command) -> Result<Done, Refusal> {
    let service = &facts.service;
    let pauses = &service.pauses;
    if let Command::Pause { .. } | Command::Resume(_) | Command::Maintenance(true) = &command {
        alone(facts)?;
    }
    match command {
        Command::Pause { database, limit } => {
            let hold = hold(facts, database)?;
            pause(facts, hold, limit).await
        }
        Command::Resume(database) => {
            let hold = hold(facts, database)?;
            match pauses.resume(&hold) {
                true => {
                    tracing::info!("resumed from the console: {hold}");
                    done("RESUME")
                }
                false => Err(Refusal::new("55000", "it is not paused")
                    .hint("SHOW STATE and SHOW DATABASES tell what is.")),
            }
        }
        Command::Maintenance(true) => match pauses.hold(&Hold::Maintenance, MAINTENANCE_MAX) {
            true => {
                tracing::info!("maintenance begins, for {MAINTENANCE_MAX:?} at most");
                done("MAINTENANCE")
            }
            false => Err(Refusal::new("55000", "maintenance is on already")),
        },
        Command::Maintenance(false) => match pauses.resume(&Hold::Maintenance) {
            true => {
                tracing::info!("maintenance ends: clients go on");
                done("MAINTENANCE")
            }
            false => Err(Refusal::new("55000", "maintenance is not on")),
        },
        Command::Reload => match reload::reload(service, &facts.origin) {
            Ok(_) => done("RELOAD"),
            Err(problems) => {
                let message = format!("the configuration is not reloaded: {problems}");
                Err(Refusal::new("F0000", message)
                    .hint("What was in force still is; correct it and try again."))
            }
        },
        Command::KillClient(id) => match service.registry.client(id) {
            Some(entry) => {
                tracing::info!(client = id, "ended from the console");
                entry.kill();
                done("KILL_CLIENT")
            }
            None => Err(Refusal::new("42704", format!("there is no client {id}"))
                .hint("SHOW CLIENTS shows the ids.")),
        },
        Command::Shutdown(stop) => {
            tracing::info!("asked to stop from the console: {stop:?}");
            facts.stop.ask(stop);
            done("SHUTDOWN")
        }
        Command::StopTask(number) => {
            facts.tasks.stop(number)?;
            done("STOP_TASK")
        }
        Command::Begin(_)
        | Command::Rollback
        | Command::Show(..)
        | Command::Setting(..)
        | Command::SelectOne
        | Command::Transaction { .. }
        | Command::Ignored(_) => done("SHOW"),
    }
}

/// Refuses where clients of other processes of the proxy would go on.
fn alone(facts: &Facts) -> Result<(), Refusal> {
    let siblings = facts.service.siblings.as_ref();
    let others = siblings.map(Siblings::running).unwrap_or_default();
    match others.first() {
        None => Ok(()),
        Some(pid) => {
            let message = format!("another process of this proxy runs ({pid})");
            Err(Refusal::new("55000", message)
                .hint("`pgflit proxy pause` and `resume` are for all processes at once."))
        }
    }
}

/// Begins a task, and gives its number.
///
/// # Errors
/// This proxy was not told how, or another task runs.
pub fn begin(facts: &Facts, what: Move) -> Result<u32, Refusal> {
    let settings = facts.service.settings();
    if !settings.config.has_any_target() {
        let message = "no database of this proxy has a target";
        return Err(Refusal::new("55000", message)
            .hint("Traffic moves between the source and the target of a [[database]]."));
    }
    let Some(cutover) = &settings.config.cutover else {
        let message = "this proxy was not told how to log in to both servers as pgflit";
        return Err(Refusal::new("55000", message).hint(
            "It takes [cutover] in the configuration, and a restart. Or run `pgflit cutover`, \
             `rollback` or `finalize` by hand.",
        ));
    };
    if cutover.shared {
        let message = "the migration's work directory is on another machine: run it there";
        return Err(Refusal::new("55000", message)
            .hint("The commands there are `pgflit cutover`, `rollback` and `finalize`."));
    }
    facts
        .tasks
        .begin(what, cutover, facts.origin.path.as_deref())
}

fn hold(facts: &Facts, database: Option<String>) -> Result<Hold, Refusal> {
    let Some(name) = database else {
        return Ok(Hold::All);
    };
    match facts.service.settings().config.database(&name) {
        Some(_) => Ok(Hold::Database(name)),
        None => Err(
            Refusal::new("3D000", format!("database \"{name}\" does not exist here"))
                .hint("SHOW DATABASES shows what there is."),
        ),
    }
}

async fn pause(facts: &Facts, hold: Hold, limit: Duration) -> Result<Done, Refusal> {
    tracing::info!("pausing from the console, for {limit:?} at most: {hold}");
    match facts.service.pauses.pause(&hold, limit).await {
        Paused::Complete { after } => {
            tracing::info!("paused after {after:?}: clients wait between transactions");
            Ok(Done {
                tag: "PAUSE",
                began: Some(hold),
            })
        }
        Paused::TimedOut { unsettled } => Err(Refusal::new(
            "55P03",
            format!("{unsettled} clients were still in a transaction at the time limit"),
        )
        .hint("Clients go on. SHOW SESSIONS UNMOVABLE tells who they are; try again.")),
        Paused::Already => {
            Err(Refusal::new("55000", "it is paused already").hint("RESUME ends that."))
        }
        Paused::Resumed => Err(Refusal::new(
            "55000",
            "someone resumed before the pause was complete",
        )),
    }
}
