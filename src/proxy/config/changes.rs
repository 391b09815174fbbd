//! What of a configuration that is read again takes effect under way.

use std::fmt::Debug;

use super::{Admin, AdminAddress, Config, Limits};

/// What is different between the configuration in force and one that was read, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// In force from now on, for clients that connect from now on.
    pub now: Vec<String>,
    /// Not in force before the proxy is started again.
    pub after_restart: Vec<String>,
}

impl Changes {
    /// What is different in `read` from `running`.
    pub fn between(running: &Config, read: &Config) -> Changes {
        let mut changes = Changes::default();
        let named = |changes: &mut Vec<String>, kind: &str, told: Vec<String>| {
            changes.extend(told.into_iter().map(|what| format!("{kind} {what}")));
        };
        let databases = by_name(&running.databases, &read.databases, |one| &one.name);
        named(&mut changes.now, "database", databases);
        let users = by_name(&running.users, &read.users, |one| &one.name);
        named(&mut changes.now, "user", users);
        let mirrors = by_name(&running.mirrors, &read.mirrors, |one| &one.name);
        named(&mut changes.now, "mirror", mirrors);
        let mut whole = |is_same: bool, what: &str| {
            if !is_same {
                changes.now.push(format!("{what} changed"));
            }
        };
        whole(running.auth_query == read.auth_query, "[auth_query]");
        whole(running.rules == read.rules, "rules of [[auth]]");
        let uncounted = |limits: &Limits| {
            (
                limits.server_wait_limit,
                limits.login_timeout,
                limits.max_failed_logins_per_minute,
                limits.drain_limit,
            )
        };
        whole(
            uncounted(&running.limits) == uncounted(&read.limits),
            "time limits or failures of [limits]",
        );
        whole(running.tls == read.tls, "certificate, key or mode of TLS");
        whole(
            rights(running) == rights(read),
            "users or in_proxy of [admin]",
        );
        if running.cutover != read.cutover {
            changes.after_restart.push("[cutover]".to_owned());
        }
        if admin_listen(running) != admin_listen(read) {
            let all: Vec<_> = admin_listen(read).iter().map(ToString::to_string).collect();
            changes
                .after_restart
                .push(format!("the console at {}", all.join(", ")));
        }
        if running.metrics != read.metrics {
            let all: Vec<_> = read.metrics.iter().map(ToString::to_string).collect();
            changes
                .after_restart
                .push(format!("metrics at {}", all.join(", ")));
        }
        if running.listen != read.listen {
            let all: Vec<_> = read.listen.iter().map(ToString::to_string).collect();
            changes
                .after_restart
                .push(format!("listening at {}", all.join(", ")));
        }
        if running.sockets != read.sockets {
            let what = "unix_socket_mode or reuse_port of [proxy]";
            changes.after_restart.push(what.to_owned());
        }
        if counts(&running.limits) != counts(&read.limits) {
            let what = "numbers of connections in [limits]";
            changes.after_restart.push(what.to_owned());
        }
        changes
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.now.is_empty() && self.after_restart.is_empty()
    }
}

impl Config {
    /// What is in force after `read` was read under way: all of it but what needs a restart.
    #[must_use]
    pub fn reloaded(&self, read: Config) -> Config {
        Config {
            listen: self.listen.clone(),
            metrics: self.metrics.clone(),
            admin: read.admin.map(|admin| Admin {
                listen: admin_listen(self).to_vec(),
                ..admin
            }),
            sockets: self.sockets,
            cutover: self.cutover.clone(),
            limits: Limits {
                max_client_connections: self.limits.max_client_connections,
                max_server_connections: self.limits.max_server_connections,
                max_unauthenticated_connections: self.limits.max_unauthenticated_connections,
                ..read.limits
            },
            ..read
        }
    }
}

/// What of `[admin]` takes effect under way.
fn rights(config: &Config) -> Option<(&[String], &[String], bool)> {
    let admin = config.admin.as_ref()?;
    Some((&admin.users, &admin.read_only_users, admin.in_proxy))
}

fn admin_listen(config: &Config) -> &[AdminAddress] {
    let admin = config.admin.as_ref();
    admin.map(|admin| &admin.listen[..]).unwrap_or_default()
}

/// What connections that are there have been counted by.
fn counts(limits: &Limits) -> (u32, Option<u32>, u32) {
    (
        limits.max_client_connections,
        limits.max_server_connections,
        limits.max_unauthenticated_connections,
    )
}

fn by_name<T: Eq + Debug>(running: &[T], read: &[T], name: impl Fn(&T) -> &String) -> Vec<String> {
    let find = |list: &'_ [T], wanted: &T| list.iter().position(|one| name(one) == name(wanted));
    let mut told = Vec::new();
    for one in read {
        match find(running, one) {
            None => told.push(format!("\"{}\" added", name(one))),
            Some(at) if running[at] != *one => told.push(format!("\"{}\" changed", name(one))),
            Some(_) => {}
        }
    }
    let gone = running.iter().filter(|one| find(read, one).is_none());
    told.extend(gone.map(|one| format!("\"{}\" removed", name(one))));
    told
}
