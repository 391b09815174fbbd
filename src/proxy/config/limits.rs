//! How many and how long: `[limits]`.

use std::time::Duration;

use super::reader::Section;

/// The bounds of everything that clients could use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Clients at the same time; one more is refused with 53300.
    pub max_client_connections: u32,
    /// Server connections at the same time, all databases together; one more client waits. None for
    /// as many as the servers take.
    pub max_server_connections: Option<u32>,
    /// How long a client waits for one of these before it is refused with 53300, and then for a
    /// server that cannot be reached.
    pub server_wait_limit: Duration,
    /// How long a client may take to say who it is, and again to show it. PostgreSQL's
    /// `authentication_timeout`.
    pub login_timeout: Duration,
    /// Clients that have not shown yet who they are; one more is refused with 53300. What strangers
    /// can make the proxy hold open, at a few kilobytes each.
    pub max_unauthenticated_connections: u32,
    /// Failed logins from one address in a minute, after which it is refused for a while; none
    /// for no limit.
    pub max_failed_logins_per_minute: Option<u32>,
    /// How long clients may go on after the proxy was asked to stop.
    pub drain_limit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_client_connections: 10_000,
            max_server_connections: None,
            server_wait_limit: Duration::from_secs(10),
            login_timeout: Duration::from_secs(60),
            max_unauthenticated_connections: 1_000,
            max_failed_logins_per_minute: Some(60),
            // Longer than most transactions, shorter than what stops services waits before it kills
            // (systemd: 90 s).
            drain_limit: Duration::from_secs(30),
        }
    }
}

/// Far above what a machine carries, far below what a counter holds.
const CONNECTIONS_MAX: u32 = 1_000_000;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Beside a successor, sessions may go on for as long as any of their kind does.
const DRAIN_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) fn read(table: Section<'_>) -> Limits {
    let default = Limits::default();
    let connections = |key, default| table.number(key, 1..=CONNECTIONS_MAX).unwrap_or(default);
    let duration = |key, default| table.duration(key, SECOND..=HOUR).unwrap_or(default);
    let failures = table.number("max_failed_logins_per_minute", 0..=100_000);
    let limits = Limits {
        max_client_connections: connections(
            "max_client_connections",
            default.max_client_connections,
        ),
        max_server_connections: table
            .number("max_server_connections", 0..=CONNECTIONS_MAX)
            .filter(|count| *count > 0),
        server_wait_limit: duration("server_wait_limit", default.server_wait_limit),
        login_timeout: duration("login_timeout", default.login_timeout),
        max_unauthenticated_connections: connections(
            "max_unauthenticated_connections",
            default.max_unauthenticated_connections,
        ),
        max_failed_logins_per_minute: match failures {
            None => default.max_failed_logins_per_minute,
            Some(0) => None,
            Some(count) => Some(count),
        },
        drain_limit: table
            .duration("drain_limit", SECOND..=DRAIN_MAX)
            .unwrap_or(default.drain_limit),
    };
    table.finish();
    limits
}
