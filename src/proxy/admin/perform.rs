//! What changes something. Each answers with its tag, or with why it did not happen.

use std::borrow::Cow;
use std::time::Duration;

use super::command::Command;
use super::tasks::Move;
use crate::base::cause::chain;
use crate::proxy::control::{self, AskError, Facts, Reply, Request, Scope};
use crate::proxy::notice::Refusal;

/// How long maintenance lasts unless somebody ends it: longer than a restart with a long recovery,
/// and not for ever when it is forgotten.
const MAINTENANCE_MAX: Duration = Duration::from_secs(3600);

/// Something was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// What is answered.
    pub tag: &'static str,
    /// What ends a pause that nobody would know of if this answer were lost.
    pub undo: Option<Request>,
}

fn done(tag: &'static str) -> Result<Done, Refusal> {
    Ok(Done { tag, undo: None })
}

/// Does it. Commands that only read, and those that [`begin`] a task, have no effect here. Cancel safe: a
/// pause that nobody waits for is none.
///
/// # Errors
/// Why not, for the client.
pub async fn perform(facts: &Facts, command: Command) -> Result<Done, Refusal> {
    match command {
        Command::Pause { database, limit } => {
            let scope = scope(facts, database)?;
            pause(facts, scope, limit, "PAUSE").await
        }
        Command::Maintenance(true) => {
            let scope = Scope::Maintenance;
            pause(facts, scope, MAINTENANCE_MAX, "MAINTENANCE").await
        }
        Command::Resume(database) => {
            let scope = scope(facts, database)?;
            match resume(facts, scope).await? {
                true => done("RESUME"),
                false => Err(Refusal::new("55000", "it is not paused")
                    .hint("SHOW STATE and SHOW DATABASES tell what is.")),
            }
        }
        Command::Maintenance(false) => match resume(facts, Scope::Maintenance).await? {
            true => done("MAINTENANCE"),
            false => Err(Refusal::new("55000", "maintenance is not on")),
        },
        Command::Reload => {
            everywhere(facts, Request::Reload).await?;
            done("RELOAD")
        }
        Command::KillClient(id) => match facts.service.registry.client(id) {
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

/// Asks all processes of the proxy, this one among them. Cancel safe as [`Siblings::ask_all`] is.
///
/// [`Siblings::ask_all`]: crate::proxy::siblings::Siblings::ask_all
///
/// # Errors
/// One of them does not do it.
pub async fn everywhere(facts: &Facts, request: Request) -> Result<Reply, Refusal> {
    let reply = match &facts.service.siblings {
        None => control::answer_to(request, facts).await,
        Some(siblings) => match siblings.ask_all(request).await {
            Ok(reply) => reply,
            Err(AskError::Refused {
                problem,
                hint,
                sqlstate,
            }) => Reply::Refused {
                problem,
                hint,
                sqlstate,
            },
            Err(error) => {
                return Err(Refusal::new("58000", chain(&error))
                    .hint("`pgflit proxy status` tells which processes of the proxy answer."));
            }
        },
    };
    match reply {
        Reply::Refused {
            problem,
            hint,
            sqlstate,
        } => Err(Refusal {
            sqlstate: Cow::Owned(sqlstate.unwrap_or_else(|| "55000".to_owned())),
            message: problem,
            hint: hint.map(Cow::Owned),
        }),
        reply => Ok(reply),
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

fn scope(facts: &Facts, database: Option<String>) -> Result<Scope, Refusal> {
    let Some(name) = database else {
        return Ok(Scope::All);
    };
    match facts.service.settings().config.database(&name) {
        Some(_) => Ok(Scope::Database(name)),
        None => Err(
            Refusal::new("3D000", format!("database \"{name}\" does not exist here"))
                .hint("SHOW DATABASES shows what there is."),
        ),
    }
}

async fn pause(
    facts: &Facts,
    scope: Scope,
    limit: Duration,
    tag: &'static str,
) -> Result<Done, Refusal> {
    let id = rand::random();
    let request = Request::Pause {
        limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        id,
        scope: scope.clone(),
    };
    everywhere(facts, request).await?;
    let id = Some(id);
    let undo = Some(Request::Resume { id, scope });
    Ok(Done { tag, undo })
}

/// Whether there was such a pause.
async fn resume(facts: &Facts, scope: Scope) -> Result<bool, Refusal> {
    let reply = everywhere(facts, Request::Resume { id: None, scope }).await?;
    Ok(matches!(reply, Reply::Resumed { was_paused: true }))
}
