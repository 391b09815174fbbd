//! One row a connection, with PgBouncer's columns.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Rows, moment};
use crate::proxy::admin::answer::{Cell, Column, int4, text};
use crate::proxy::control::Facts;
use crate::proxy::registry::{Entry, ServerSide, SessionState};

/// How many of the columns `SHOW CLIENTS` and `SHOW SERVERS` have.
pub(super) const PUBLIC: usize = 21;

/// Those of `SHOW CLIENTS`.
pub(super) const CLIENTS: [Column; PUBLIC + 1] = {
    let mut columns = [text("holds"); PUBLIC + 1];
    let mut at = 0;
    while at < PUBLIC {
        columns[at] = COLUMNS[at];
        at += 1;
    }
    columns
};

/// Those of `SHOW SOCKETS`.
pub(super) const COLUMNS: [Column; 28] = [
    text("type"),
    text("user"),
    text("database"),
    text("replication"),
    text("state"),
    text("addr"),
    int4("port"),
    text("local_addr"),
    int4("local_port"),
    text("connect_time"),
    text("request_time"),
    int4("wait"),
    int4("wait_us"),
    int4("close_needed"),
    text("ptr"),
    text("link"),
    int4("remote_pid"),
    text("tls"),
    text("application_name"),
    int4("prepared_statements"),
    int4("id"),
    // Places in buffers: there are none here.
    int4("recv_pos"),
    int4("pkt_pos"),
    int4("pkt_remain"),
    int4("send_pos"),
    int4("send_remain"),
    int4("pkt_avail"),
    int4("send_avail"),
];

pub(super) fn clients(facts: &Facts) -> Rows {
    let clients = facts.service.registry.clients().into_iter();
    Box::new(clients.map(|entry| {
        let mut row = client(&entry, client_state(&entry));
        row.push(entry.survey.holds().map(|holds| holds.join(", ")).into());
        row
    }))
}

pub(super) fn servers(facts: &Facts) -> Rows {
    let clients = facts.service.registry.clients().into_iter();
    Box::new(clients.filter_map(|entry| server(&entry, "")))
}

pub(super) fn all(facts: &Facts) -> Rows {
    let wide = |mut row: Vec<Cell>| {
        row.resize(COLUMNS.len(), Cell::from(0_u64));
        row
    };
    let clients = facts.service.registry.clients().into_iter();
    let rows = clients.flat_map(move |entry| {
        let state = format!("cl_{}", client_state(&entry));
        [Some(client(&entry, &state)), server(&entry, "sv_")]
    });
    Box::new(rows.flatten().map(wide))
}

/// PgBouncer's word: *active* in a statement or transaction, *idle* between them, *waiting* for a
/// server connection or the end of a pause.
fn client_state(entry: &Entry) -> &'static str {
    match entry.state() {
        SessionState::Busy => "active",
        SessionState::Idle => "idle",
        SessionState::Waiting | SessionState::LoggingIn | SessionState::Held => "waiting",
    }
}

fn client(entry: &Entry, state: &str) -> Vec<Cell> {
    let facts = &entry.facts;
    let (address, port) = match facts.address.parse::<SocketAddr>() {
        Ok(address) => (address.ip().to_string(), address.port()),
        Err(_) => ("unix".to_owned(), 0),
    };
    let link = entry.server().map(|_| format!("s{}", entry.id));
    let parts = Parts {
        kind: "C",
        state,
        address,
        port,
        local: facts.local,
        connected: entry.since.elapsed(),
        pointer: format!("c{}", entry.id),
        link: link.unwrap_or_default(),
        pid: 0,
        is_encrypted: facts.is_encrypted,
    };
    row(entry, parts)
}

/// None of a client that has none.
fn server(entry: &Entry, prefix: &str) -> Option<Vec<Cell>> {
    let ServerSide {
        place,
        key,
        local,
        since,
        is_encrypted,
    } = entry.server()?;
    let state = match entry.state() {
        SessionState::Busy => "active",
        SessionState::LoggingIn => "new",
        SessionState::Idle | SessionState::Held | SessionState::Waiting => "idle",
    };
    let state = format!("{prefix}{state}");
    let (address, port) = place.host();
    let parts = Parts {
        kind: "S",
        state: &state,
        address,
        port,
        local,
        connected: since.elapsed(),
        pointer: format!("s{}", entry.id),
        link: format!("c{}", entry.id),
        pid: key.map_or(0, |key| key.process),
        is_encrypted,
    };
    Some(row(entry, parts))
}

/// What is different of the two sides.
struct Parts<'a> {
    kind: &'static str,
    state: &'a str,
    address: String,
    port: u16,
    local: Option<SocketAddr>,
    connected: Duration,
    pointer: String,
    link: String,
    pid: u32,
    is_encrypted: bool,
}

fn row(entry: &Entry, parts: Parts<'_>) -> Vec<Cell> {
    let facts = &entry.facts;
    let statistics = &entry.statistics;
    let age = entry.since.elapsed();
    let asked = statistics.asked_after();
    let asked_ago = asked.map_or(parts.connected, |asked| age.saturating_sub(asked));
    // Servers do not wait.
    let wait = statistics.waits_for().filter(|_| parts.kind == "C");
    let wait = wait.unwrap_or_default();
    let local = parts.local;
    let tls = match parts.is_encrypted {
        true => "TLS",
        false => "",
    };
    vec![
        parts.kind.into(),
        facts.user.as_str().into(),
        facts.database.as_str().into(),
        facts.replication.as_str().into(),
        parts.state.into(),
        parts.address.into(),
        parts.port.into(),
        local
            .map_or("unix".to_owned(), |local| local.ip().to_string())
            .into(),
        local.map_or(0, |local| local.port()).into(),
        moment(parts.connected).into(),
        moment(asked_ago).into(),
        wait.as_secs().into(),
        wait.subsec_micros().into(),
        0_u64.into(),
        parts.pointer.into(),
        parts.link.into(),
        parts.pid.into(),
        tls.into(),
        facts.application_name.as_str().into(),
        0_u64.into(),
        entry.id.into(),
    ]
}
