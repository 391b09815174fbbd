//! A proxy's answers for people and for scripts.

use serde::Serialize;

use super::show_mirrors;
use crate::proxy::control::{Client, Reply, Status};
use crate::report::listing::{Column, table};

/// One object, without what only the two processes need of each other.
pub(super) fn json(reply: &Reply) -> serde_json::Result<String> {
    let text = match reply {
        Reply::Status(status) => serde_json::to_string(status),
        Reply::Clients { clients } => serde_json::to_string(clients),
        Reply::Mirrors { mirrors } => serde_json::to_string(mirrors),
        Reply::Paused { after_ms } => serde_json::to_string(&Pause {
            paused: true,
            after_ms: Some(*after_ms),
            was_paused: None,
        }),
        Reply::Resumed { was_paused } => serde_json::to_string(&Pause {
            paused: false,
            after_ms: None,
            was_paused: Some(*was_paused),
        }),
        Reply::Reloaded { now, after_restart } => {
            serde_json::to_string(&Reload { now, after_restart })
        }
        Reply::Cancelled { .. }
        | Reply::Promised
        | Reply::Warm { .. }
        | Reply::Switched { .. }
        | Reply::Refused { .. } => serde_json::to_string(reply),
    };
    Ok(text? + "\n")
}

/// What `pause` and `resume` say.
#[derive(Serialize)]
struct Pause {
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    was_paused: Option<bool>,
}

/// What `reload` says.
#[derive(Serialize)]
struct Reload<'a> {
    now: &'a [String],
    after_restart: &'a [String],
}

/// Lines for a screen.
pub(super) fn text(reply: &Reply) -> String {
    match reply {
        Reply::Status(status) => self::status(status),
        Reply::Clients { clients } => self::clients(clients),
        Reply::Mirrors { mirrors } => show_mirrors::mirrors(mirrors),
        Reply::Paused { after_ms } => format!("paused after {after_ms:.1} ms\n"),
        Reply::Resumed { was_paused: true } => "resumed\n".to_owned(),
        Reply::Resumed { was_paused: false } => "it was not paused\n".to_owned(),
        Reply::Reloaded { now, after_restart } => reloaded(now, after_restart),
        // Answers to what only a cutover asks.
        Reply::Cancelled { .. } | Reply::Promised | Reply::Warm { .. } | Reply::Switched { .. } => {
            String::new()
        }
        Reply::Refused { problem, .. } => format!("{problem}\n"),
    }
}

fn reloaded(now: &[String], after_restart: &[String]) -> String {
    if now.is_empty() && after_restart.is_empty() {
        return "nothing is different\n".to_owned();
    }
    let now = now.iter().map(|what| format!("reloaded: {what}\n"));
    let later = after_restart.iter();
    let later = later.map(|what| format!("not before a restart: {what}\n"));
    now.chain(later).collect()
}

fn status(status: &Status) -> String {
    let counts = status.clients;
    let traffic = match status.paused_ms {
        Some(paused_ms) => format!("paused for {:.1} s", paused_ms / 1000.0),
        None => "flows".to_owned(),
    };
    let lines = [
        (
            "proxy",
            format!(
                "pid {}, version {}, up {:.0} s",
                status.pid, status.version, status.uptime_s
            ),
        ),
        ("listens on", status.listen.join(", ")),
        ("serves", format!("{} ({})", status.serves, status.server)),
        ("traffic", traffic),
        (
            "clients",
            format!(
                "{}: {} busy, {} idle, {} held, {} waiting, {} logging in",
                counts.total, counts.busy, counts.idle, counts.held, counts.waiting, counts.login
            ),
        ),
        ("transactions", status.transactions.to_string()),
        (
            "bytes",
            format!(
                "{} from clients, {} to them",
                status.bytes_in, status.bytes_out
            ),
        ),
    ];
    let lines = lines.into_iter().chain(processes(status));
    let lines = lines.map(|(name, value)| format!("{name:<13} {value}\n"));
    lines.collect()
}

/// A line for each process, where there are several or one does not answer.
fn processes(status: &Status) -> Vec<(&'static str, String)> {
    let told = status.processes.iter().map(|process| {
        let mut state = Vec::new();
        if process.draining {
            state.push("listens no more");
        }
        if process.paused {
            state.push("paused");
        }
        let state = state.iter().map(|word| format!(", {word}"));
        format!(
            "pid {}, version {}, up {:.0} s, {} clients{}",
            process.pid,
            process.version,
            process.uptime_s,
            process.clients,
            state.collect::<String>()
        )
    });
    let silent = status.silent.iter();
    let silent = silent.map(|pid| format!("pid {pid} does not answer"));
    told.chain(silent).map(|text| ("process", text)).collect()
}

fn clients(clients: &[Client]) -> String {
    let mut columns = vec![
        Column::number("Id", |client: &Client| client.id.to_string()),
        Column::text("State", |client| client.state.clone()),
        Column::text("Address", |client| client.address.clone()),
        Column::text("User", |client| client.user.clone()),
        Column::text("Database", |client| client.database.clone()),
        Column::text("Application", |client| client.application_name.clone()),
        Column::text("TLS", |client| match client.encrypted {
            true => "yes".to_owned(),
            false => "no".to_owned(),
        }),
        Column::number("Server pid", |client| {
            client
                .server_pid
                .map(|pid| pid.to_string())
                .unwrap_or_default()
        }),
        Column::number("Seconds", |client| format!("{:.0}", client.connected_s)),
        Column::number("Transactions", |client| client.transactions.to_string()),
        Column::number("Bytes in", |client| client.bytes_in.to_string()),
        Column::number("Bytes out", |client| client.bytes_out.to_string()),
        Column::text("Holds", |client| {
            client.holds.as_deref().unwrap_or_default().join(", ")
        }),
    ];
    let first = clients.first().map(|client| client.proxy_pid);
    if clients.iter().any(|one| Some(one.proxy_pid) != first) {
        let process = Column::number("Process", |client: &Client| client.proxy_pid.to_string());
        columns.insert(0, process);
    }
    table(&columns, clients)
}
