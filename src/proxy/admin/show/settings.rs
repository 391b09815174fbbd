//! What is in force, and the state of the process.

use std::fmt::Display;

use super::Rows;
use crate::base::quantity::display_duration;
use crate::proxy::admin::answer::{Cell, Column, int4, int8, text};
use crate::proxy::config::Limits;
use crate::proxy::config::tls::TlsMode;
use crate::proxy::control::Facts;
use crate::proxy::pause::Hold;
use crate::proxy::registry::Entry;
use crate::proxy::statistics::Totals;
use crate::proxy::statistics::period::PERIOD;

pub(super) const CONFIG: [Column; 4] = [
    text("key"),
    text("value"),
    text("default"),
    text("changeable"),
];

pub(super) const MEM: [Column; 5] = [
    text("name"),
    int4("size"),
    int4("used"),
    int4("free"),
    int8("memtotal"),
];

pub(super) const STATE: [Column; 2] = [text("key"), text("value")];

pub(super) const VERSION: [Column; 1] = [text("version")];

/// Settings without secrets: of certificates and passwords there is nothing here.
pub(super) fn config(facts: &Facts) -> Rows {
    let settings = facts.service.settings();
    let config = &settings.config;
    let (now, default) = (&config.limits, &Limits::default());
    let tls = match config.tls.as_ref().map(|tls| tls.mode) {
        None => "off",
        Some(TlsMode::Allow) => "allow",
        Some(TlsMode::Require) => "require",
    };
    let admin = config.admin.as_ref();
    let path = facts.origin.path.as_ref();
    let path = path.map_or(String::new(), |path| path.display().to_string());
    let count = |count: Option<u32>| count.unwrap_or(0).to_string();
    let rows: Vec<(&str, String, String, bool)> = vec![
        ("config_file", path, String::new(), false),
        (
            "listen",
            listed(&facts.listen),
            "127.0.0.1:6432".to_owned(),
            false,
        ),
        (
            "admin_listen",
            listed(admin.map(|admin| &admin.listen[..]).unwrap_or_default()),
            String::new(),
            false,
        ),
        (
            "admin_in_proxy",
            admin.is_some_and(|admin| admin.in_proxy).to_string(),
            "false".to_owned(),
            true,
        ),
        (
            "metrics_listen",
            listed(&config.metrics),
            String::new(),
            false,
        ),
        ("tls", tls.to_owned(), "off".to_owned(), true),
        // By this name exporters for PgBouncer read it.
        (
            "max_client_conn",
            now.max_client_connections.to_string(),
            default.max_client_connections.to_string(),
            false,
        ),
        (
            "max_user_connections",
            "0".to_owned(),
            "0".to_owned(),
            false,
        ),
        (
            "max_server_connections",
            count(now.max_server_connections),
            count(default.max_server_connections),
            false,
        ),
        (
            "max_unauthenticated_connections",
            now.max_unauthenticated_connections.to_string(),
            default.max_unauthenticated_connections.to_string(),
            false,
        ),
        (
            "max_failed_logins_per_minute",
            count(now.max_failed_logins_per_minute),
            count(default.max_failed_logins_per_minute),
            true,
        ),
        (
            "server_wait_limit",
            display_duration(now.server_wait_limit),
            display_duration(default.server_wait_limit),
            true,
        ),
        (
            "login_timeout",
            display_duration(now.login_timeout),
            display_duration(default.login_timeout),
            true,
        ),
        (
            "stats_period",
            PERIOD.as_secs().to_string(),
            PERIOD.as_secs().to_string(),
            false,
        ),
    ];
    Box::new(rows.into_iter().map(|(key, value, default, changeable)| {
        let changeable = match changeable {
            true => "yes",
            false => "no",
        };
        vec![key.into(), value.into(), default.into(), changeable.into()]
    }))
}

fn listed(all: &[impl Display]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// What is kept of each client and each database: buffers of sessions come and go with what passes.
pub(super) fn mem(facts: &Facts) -> Rows {
    let snapshot = facts.service.registry.snapshot();
    let kinds = [
        ("client", size_of::<Entry>(), snapshot.clients.len()),
        ("database", size_of::<Totals>(), snapshot.databases.len()),
    ];
    Box::new(kinds.into_iter().map(|(name, size, used)| {
        vec![
            name.into(),
            size.into(),
            used.into(),
            0_u64.into(),
            (size * used).into(),
        ]
    }))
}

pub(super) fn state(facts: &Facts) -> Rows {
    let pauses = &facts.service.pauses;
    let is_held = |hold: &Hold| pauses.held_for(hold).is_some();
    let is_paused = [Hold::All, Hold::Cutover, Hold::Lease].iter().any(is_held);
    let is_maintained = is_held(&Hold::Maintenance);
    let states = [
        ("active", !is_paused && !is_maintained),
        ("paused", is_paused),
        ("suspended", false),
        ("maintenance", is_maintained),
        ("shutting_down", facts.stop.asked().is_some()),
    ];
    Box::new(states.into_iter().map(|(key, is)| {
        let value = if is { "yes" } else { "no" };
        vec![key.into(), value.into()]
    }))
}

pub(super) fn version() -> Rows {
    let version = concat!("pgflit ", env!("CARGO_PKG_VERSION"));
    Box::new(std::iter::once(vec![Cell::from(version)]))
}
