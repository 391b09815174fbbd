//! Connections by database and user, and the lists of both, with PgBouncer's columns.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::time::Duration;

use super::Rows;
use crate::proxy::admin::answer::{Cell, Column, int4, text};
use crate::proxy::config::Database;
use crate::proxy::control::Facts;
use crate::proxy::registry::{Entry, SessionState};

pub(super) const POOLS: [Column; 17] = [
    text("database"),
    text("user"),
    int4("cl_active"),
    int4("cl_waiting"),
    int4("cl_active_cancel_req"),
    int4("cl_waiting_cancel_req"),
    int4("sv_active"),
    int4("sv_active_cancel"),
    int4("sv_being_canceled"),
    int4("sv_idle"),
    int4("sv_used"),
    int4("sv_tested"),
    int4("sv_login"),
    int4("maxwait"),
    int4("maxwait_us"),
    text("pool_mode"),
    text("load_balance_hosts"),
];

pub(super) const LISTS: [Column; 2] = [text("list"), int4("items")];

pub(super) const DATABASES: [Column; 17] = [
    text("name"),
    text("host"),
    int4("port"),
    text("database"),
    text("force_user"),
    int4("pool_size"),
    int4("min_pool_size"),
    int4("reserve_pool_size"),
    int4("server_lifetime"),
    text("pool_mode"),
    text("load_balance_hosts"),
    int4("max_connections"),
    int4("current_connections"),
    int4("max_client_connections"),
    int4("current_client_connections"),
    int4("paused"),
    int4("disabled"),
];

pub(super) const USERS: [Column; 8] = [
    text("name"),
    text("pool_size"),
    text("reserve_pool_size"),
    text("pool_mode"),
    int4("max_user_connections"),
    int4("current_connections"),
    int4("max_user_client_connections"),
    int4("current_client_connections"),
];

/// Each client has a server connection of its own.
const POOL_MODE: &str = "session";

/// What clients of one kind do.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    clients: u64,
    waiting: u64,
    servers: u64,
    busy: u64,
    login: u64,
    longest_wait: Duration,
}

impl Counts {
    fn add(&mut self, entry: &Entry) {
        let state = entry.state();
        let is = |one: SessionState| u64::from(state == one);
        self.clients += 1;
        self.waiting += is(SessionState::Waiting) + is(SessionState::Held);
        self.servers += u64::from(entry.server().is_some());
        self.busy += is(SessionState::Busy);
        self.login += is(SessionState::LoggingIn);
        let wait = entry.statistics.waits_for().unwrap_or_default();
        self.longest_wait = self.longest_wait.max(wait);
    }
}

/// Clients by `key`.
fn counted<K: Ord>(facts: &Facts, key: impl Fn(&Entry) -> K) -> BTreeMap<K, Counts> {
    let mut counts = BTreeMap::new();
    for entry in facts.service.registry.clients() {
        let place = match counts.entry(key(&entry)) {
            Place::Vacant(place) => place.insert(Counts::default()),
            Place::Occupied(place) => place.into_mut(),
        };
        place.add(&entry);
    }
    counts
}

pub(super) fn pools(facts: &Facts, wanted: Option<&str>) -> Rows {
    let mut pools = counted(facts, |entry| {
        (entry.facts.database.clone(), entry.facts.user.clone())
    });
    pools.retain(|(database, _), _| wanted.is_none_or(|wanted| wanted == database));
    let rows = pools.into_iter().map(|((database, user), counts)| {
        vec![
            database.into(),
            user.into(),
            (counts.clients - counts.waiting - counts.login).into(),
            counts.waiting.into(),
            0_u64.into(),
            0_u64.into(),
            counts.busy.into(),
            0_u64.into(),
            0_u64.into(),
            counts.servers.saturating_sub(counts.busy).into(),
            0_u64.into(),
            0_u64.into(),
            counts.login.into(),
            counts.longest_wait.as_secs().into(),
            counts.longest_wait.subsec_micros().into(),
            POOL_MODE.into(),
            Cell::Null,
        ]
    });
    Box::new(rows)
}

pub(super) fn lists(facts: &Facts) -> Rows {
    let settings = facts.service.settings();
    let pools = counted(facts, |entry| {
        (entry.facts.database.clone(), entry.facts.user.clone())
    });
    let sum = |of: fn(&Counts) -> u64| pools.values().map(of).sum::<u64>();
    let rows = [
        ("databases", settings.config.databases.len() as u64),
        ("users", settings.config.users.len() as u64),
        ("peers", 0),
        ("pools", pools.len() as u64),
        ("peer_pools", 0),
        ("free_clients", 0),
        ("used_clients", sum(|counts| counts.clients)),
        ("login_clients", sum(|counts| counts.login)),
        ("free_servers", 0),
        ("used_servers", sum(|counts| counts.servers)),
        ("dns_names", 0),
        ("dns_zones", 0),
        ("dns_queries", 0),
        ("dns_pending", 0),
    ];
    Box::new(
        rows.into_iter()
            .map(|(list, items)| vec![list.into(), items.into()]),
    )
}

pub(super) fn databases(facts: &Facts, wanted: Option<&str>) -> Rows {
    let service = &facts.service;
    let settings = service.settings();
    let counts = counted(facts, |entry| entry.database.name.clone());
    let all = service.registry.snapshot().databases.into_iter();
    let paused: BTreeMap<String, bool> = all
        .map(|(database, _)| (database.name.clone(), database.gate.is_closed()))
        .collect();
    let limits = settings.config.limits;
    let side = service.registry.turns().side();
    // What is configured, and what is asked for under the entry for any name.
    let configured = settings
        .config
        .databases
        .iter()
        .map(|one| one.name.as_str());
    let others = paused.keys().map(String::as_str);
    let others = others.filter(|name| {
        !settings
            .config
            .databases
            .iter()
            .any(|one| one.name == *name)
    });
    let names = configured.chain(others);
    let names = names.filter(|name| wanted.is_none_or(|wanted| wanted == *name));
    let rows = names.filter_map(|name| {
        let database: &Database = settings.config.database(name)?;
        let counts = counts.get(name).copied().unwrap_or_default();
        let address = database.server(side).address(name);
        let (host, port) = crate::proxy::server::host_of(&address);
        let most = limits.max_server_connections.unwrap_or(0);
        Some(vec![
            name.into(),
            host.into(),
            port.into(),
            address.dbname().into(),
            Cell::Null,
            most.into(),
            0_u64.into(),
            0_u64.into(),
            0_u64.into(),
            POOL_MODE.into(),
            Cell::Null,
            most.into(),
            counts.servers.into(),
            limits.max_client_connections.into(),
            counts.clients.into(),
            paused.get(name).copied().unwrap_or(false).into(),
            0_u64.into(),
        ])
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    Box::new(rows.into_iter())
}

pub(super) fn users(facts: &Facts) -> Rows {
    let settings = facts.service.settings();
    let mut counts = counted(facts, |entry| entry.facts.user.clone());
    for user in &settings.config.users {
        counts.entry(user.name.clone()).or_default();
    }
    let rows = counts.into_iter().map(|(name, counts)| {
        vec![
            name.into(),
            Cell::Null,
            Cell::Null,
            Cell::Null,
            0_u64.into(),
            counts.servers.into(),
            0_u64.into(),
            counts.clients.into(),
        ]
    });
    Box::new(rows)
}
