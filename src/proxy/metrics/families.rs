//! What is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exposition::{Exposition, Type, seconds};
use super::mirrors;
use crate::proxy::config::databases::ANY;
use crate::proxy::control::Facts;
use crate::proxy::pause::Hold;
use crate::proxy::registry::{Entry, SessionState};
use crate::proxy::statistics::Totals;
use crate::proxy::statistics::sqlstate::SqlstateClass;

/// One database at this moment.
#[derive(Debug, Default)]
struct Seen {
    totals: Totals,
    clients: [u64; SessionState::ALL.len()],
    servers: u64,
    longest_wait: Duration,
    paused_for: Option<Duration>,
}

impl Seen {
    fn add(&mut self, entry: &Entry) {
        let state = entry.state();
        let place = SessionState::ALL.iter().position(|one| *one == state);
        if let Some(count) = place.and_then(|place| self.clients.get_mut(place)) {
            *count += 1;
        }
        self.servers += u64::from(entry.server().is_some());
        let wait = entry.statistics.waits_for().unwrap_or_default();
        self.longest_wait = self.longest_wait.max(wait);
    }
}

/// Everything, as text.
pub fn tell(facts: &Facts) -> String {
    let mut out = Exposition::default();
    process(&mut out, facts);
    let seen = by_database(facts);
    connections(&mut out, &seen);
    work(&mut out, &seen);
    logins_and_errors(&mut out, &seen);
    mirrors::tell(&mut out, facts);
    out.into_text()
}

/// By name, those that a stranger may have made up under [`ANY`].
fn by_database(facts: &Facts) -> BTreeMap<String, Seen> {
    let service = &facts.service;
    let settings = service.settings();
    let snapshot = service.registry.snapshot();
    let configured = settings.config.databases.iter();
    let configured: Vec<&str> = configured.map(|one| one.name.as_str()).collect();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut labels = BTreeMap::new();
    for (database, totals) in snapshot.databases {
        let name = &database.name;
        let is_known = totals.logins > 0 || configured.contains(&name.as_str());
        let label = if is_known { name.as_str() } else { ANY };
        let place = seen.entry(label.to_owned()).or_default();
        place.totals.add(&totals);
        let holds = [
            Hold::All,
            Hold::Maintenance,
            Hold::Cutover,
            Hold::Lease,
            Hold::Database(name.clone()),
        ];
        // A pause of one name is none of those that are counted together with it.
        let about = if is_known { &holds[..] } else { &holds[..4] };
        let held = about
            .iter()
            .filter_map(|hold| service.pauses.held_for(hold));
        place.paused_for = place.paused_for.max(held.max());
        labels.insert(name.clone(), label.to_owned());
    }
    for entry in snapshot.clients {
        let label = labels.get(&entry.database.name);
        if let Some(place) = label.and_then(|label| seen.get_mut(label)) {
            place.add(&entry);
        }
    }
    seen
}

fn process(out: &mut Exposition, facts: &Facts) {
    let settings = facts.service.settings();
    let limits = &settings.config.limits;
    out.family(
        "pgflit_proxy_build_info",
        Type::Gauge,
        "The version that runs; always 1.",
    )
    .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.family(
        "pgflit_proxy_uptime_seconds",
        Type::Gauge,
        "How long the proxy has run.",
    )
    .sample(&[], facts.since.elapsed().as_secs_f64());
    out.family(
        "pgflit_proxy_stopping",
        Type::Gauge,
        "1 while the proxy takes no new clients because it is to stop.",
    )
    .sample(&[], u8::from(facts.stop.asked().is_some()));
    out.family(
        "pgflit_proxy_max_client_connections",
        Type::Gauge,
        "Clients that there may be at a time.",
    )
    .sample(&[], limits.max_client_connections);
    out.family(
        "pgflit_proxy_max_server_connections",
        Type::Gauge,
        "Server connections that there may be at a time; 0 for as many as the servers take.",
    )
    .sample(&[], limits.max_server_connections.unwrap_or(0));
}

fn connections(out: &mut Exposition, seen: &BTreeMap<String, Seen>) {
    let mut family = out.family(
        "pgflit_proxy_clients",
        Type::Gauge,
        "Clients by what they do: waiting and login have no server connection yet, idle are between \
         transactions, busy within one, held kept waiting by a pause.",
    );
    for (name, one) in seen {
        for (state, count) in SessionState::ALL.iter().zip(one.clients) {
            family.sample(&[("database", name), ("state", state.as_str())], count);
        }
    }
    gauge(
        out,
        seen,
        (
            "pgflit_proxy_server_connections",
            "Server connections that are logged in.",
        ),
        |one| one.servers as f64,
    );
    gauge(
        out,
        seen,
        (
            "pgflit_proxy_longest_wait_seconds",
            "How long the client has waited that waits longest now, for a server connection or in a pause.",
        ),
        |one| one.longest_wait.as_secs_f64(),
    );
    gauge(
        out,
        seen,
        ("pgflit_proxy_paused", "1 while new transactions wait."),
        |one| f64::from(u8::from(one.paused_for.is_some())),
    );
    gauge(
        out,
        seen,
        (
            "pgflit_proxy_pause_seconds",
            "How long new transactions have waited by now; 0 while they do not.",
        ),
        |one| one.paused_for.unwrap_or_default().as_secs_f64(),
    );
}

fn work(out: &mut Exposition, seen: &BTreeMap<String, Seen>) {
    let mut family = out.family(
        "pgflit_proxy_transaction_duration_seconds",
        Type::Histogram,
        "Transactions that ended, by how long they took from the first request to the last answer.",
    );
    for (name, one) in seen {
        family.histogram(&[("database", name)], &one.totals.transactions);
    }
    let mut family = out.family(
        "pgflit_proxy_query_duration_seconds",
        Type::Histogram,
        "Answers of servers, by how long they were waited for.",
    );
    for (name, one) in seen {
        family.histogram(&[("database", name)], &one.totals.queries);
    }
    counter(
        out,
        seen,
        ("pgflit_proxy_received_bytes_total", "Bytes from clients."),
        |totals| totals.bytes_in,
    );
    counter(
        out,
        seen,
        ("pgflit_proxy_sent_bytes_total", "Bytes to clients."),
        |totals| totals.bytes_out,
    );
    let mut family = out.family(
        "pgflit_proxy_wait_seconds_total",
        Type::Counter,
        "How long clients waited, for a server connection or for the end of a pause.",
    );
    for (name, one) in seen {
        let totals = &one.totals;
        for (what, ns) in [
            ("server", totals.server_wait_ns),
            ("pause", totals.pause_wait_ns),
        ] {
            family.sample(&[("database", name), ("for", what)], seconds(ns));
        }
    }
}

fn logins_and_errors(out: &mut Exposition, seen: &BTreeMap<String, Seen>) {
    counter(
        out,
        seen,
        (
            "pgflit_proxy_logins_total",
            "Clients that were given a server connection.",
        ),
        |totals| totals.logins,
    );
    counter(
        out,
        seen,
        (
            "pgflit_proxy_logins_failed_total",
            "Clients that were refused before they had one, whatever the reason.",
        ),
        |totals| totals.failed_logins,
    );
    let mut family = out.family(
        "pgflit_proxy_errors_total",
        Type::Counter,
        "Errors that servers reported within sessions, by the class of their SQLSTATE (its first two characters).",
    );
    for (name, one) in seen {
        for (place, count) in one.totals.errors.iter().enumerate() {
            if *count > 0 {
                let class = SqlstateClass::name(place);
                family.sample(&[("database", name), ("class", class)], count);
            }
        }
    }
}

fn gauge(
    out: &mut Exposition,
    seen: &BTreeMap<String, Seen>,
    (name, help): (&'static str, &str),
    of: impl Fn(&Seen) -> f64,
) {
    let mut family = out.family(name, Type::Gauge, help);
    for (database, one) in seen {
        family.sample(&[("database", database)], of(one));
    }
}

fn counter(
    out: &mut Exposition,
    seen: &BTreeMap<String, Seen>,
    (name, help): (&'static str, &str),
    of: impl Fn(&Totals) -> u64,
) {
    let mut family = out.family(name, Type::Counter, help);
    for (database, one) in seen {
        family.sample(&[("database", database)], of(&one.totals));
    }
}
