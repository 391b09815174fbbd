//! Databases by the names that clients ask for: a gate and sums for each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use super::Totals;
use super::sqlstate::{ErrorCounters, SqlstateClass};
use crate::proxy::config::databases::ANY;
use crate::proxy::gate::{Gate, Reason, Turns};
use crate::proxy::pause::Hold;

/// Names that are not in the configuration and are kept when their last client has gone; what
/// those beyond have counted goes to [`ANY`]. A kilobyte each.
const NAMES_MAX: usize = 1000;

/// A database as clients name it.
#[derive(Debug)]
pub struct Database {
    /// What clients ask for.
    pub name: String,
    /// Whether its transactions may begin.
    pub gate: Arc<Gate>,
    errors: ErrorCounters,
    logins: AtomicU64,
    failed_logins: AtomicU64,
}

impl Database {
    /// A client has its server connection.
    pub fn count_login(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    /// A client was refused before that.
    pub fn count_failed_login(&self) {
        self.failed_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// A server reported an error.
    pub fn count_error(&self, class: SqlstateClass) {
        self.errors.count(class);
    }

    /// What is counted here and not with clients.
    fn read(&self) -> Totals {
        Totals {
            logins: self.logins.load(Ordering::Relaxed),
            failed_logins: self.failed_logins.load(Ordering::Relaxed),
            errors: self.errors.read(),
            ..Totals::default()
        }
    }
}

/// All of them. Behind the lock of the registry, together with who is connected.
#[derive(Debug, Default)]
pub struct Databases {
    by_name: BTreeMap<String, Served>,
    /// Reasons that close every gate, new ones too.
    closed: u8,
    /// Where traffic goes, also of new ones.
    turns: Turns,
    settled: Arc<Notify>,
}

#[derive(Debug)]
struct Served {
    database: Arc<Database>,
    clients: usize,
    /// Of clients that have gone.
    gone: Totals,
    /// It is in the configuration.
    is_configured: bool,
}

impl Databases {
    /// A client asks for `name`. It leaves by [`Databases::leave`].
    pub fn enter(&mut self, name: &str) -> Arc<Database> {
        let served = self.served(name);
        served.clients += 1;
        Arc::clone(&served.database)
    }

    /// A client of `database` has gone, which has counted `totals`.
    pub fn leave(&mut self, database: &Database, totals: &Totals) {
        if let Some(served) = self.by_name.get_mut(&database.name) {
            served.clients -= 1;
            served.gone.add(totals);
        }
        self.forget_unless_needed(&database.name);
    }

    /// These names are in the configuration, and no others.
    pub fn configure<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for served in self.by_name.values_mut() {
            served.is_configured = false;
        }
        for name in names {
            self.served(name).is_configured = true;
        }
    }

    /// Every database, with what clients that have gone have left and what only it counts.
    pub fn read(&self) -> Vec<(Arc<Database>, Totals)> {
        let read = self.by_name.values().map(|served| {
            let mut totals = served.gone;
            totals.add(&served.database.read());
            (Arc::clone(&served.database), totals)
        });
        read.collect()
    }

    /// Closes the gates that `hold` is about.
    pub fn close(&mut self, hold: &Hold) {
        let reason = hold.reason();
        match hold {
            Hold::Database(name) => self.served(name).database.gate.close(reason),
            Hold::All | Hold::Maintenance | Hold::Cutover | Hold::Lease => {
                self.closed |= reason as u8;
                let all = self.by_name.values();
                all.for_each(|served| served.database.gate.close(reason));
            }
        }
    }

    /// Opens them again.
    pub fn open(&mut self, hold: &Hold) {
        let reason = hold.reason();
        if !matches!(hold, Hold::Database(_)) {
            self.closed &= !(reason as u8);
        }
        for served in self.by_name.values() {
            if hold.is_about(&served.database.name) {
                served.database.gate.open(reason);
            }
        }
        if let Hold::Database(name) = hold {
            self.forget_unless_needed(name);
        }
    }

    /// Where traffic goes.
    pub fn turns(&self) -> Turns {
        self.turns
    }

    /// Traffic goes elsewhere from now on. Only while every gate is closed and nobody is busy.
    pub fn turn(&mut self, turns: Turns) {
        self.turns = turns;
        let all = self.by_name.values();
        all.for_each(|served| served.database.gate.turn(turns));
    }

    /// What sessions of all of them wake when they become idle in a pause.
    pub fn settled(&self) -> Arc<Notify> {
        Arc::clone(&self.settled)
    }

    fn served(&mut self, name: &str) -> &mut Served {
        let (closed, turns, settled) = (self.closed, self.turns, &self.settled);
        let make = || Served {
            database: Arc::new(Database {
                name: name.to_owned(),
                gate: Arc::new(Gate::new(closed, turns, Arc::clone(settled))),
                errors: ErrorCounters::default(),
                logins: AtomicU64::new(0),
                failed_logins: AtomicU64::new(0),
            }),
            clients: 0,
            gone: Totals::default(),
            is_configured: false,
        };
        self.by_name.entry(name.to_owned()).or_insert_with(make)
    }

    /// A name without clients that nobody configured is kept only if a server has let one in, or
    /// while it is paused by name. When everything is paused, it would be made again closed.
    fn forget_unless_needed(&mut self, name: &str) {
        let count = self.by_name.len();
        let is_done = self.by_name.get(name).is_some_and(|served| {
            let database = &served.database;
            let was_never_let_in = database.logins.load(Ordering::Relaxed) == 0;
            let is_paused = database.gate.is_closed_for(Reason::Database);
            let is_unused = served.clients == 0 && !served.is_configured && !is_paused;
            is_unused && (was_never_let_in || count > NAMES_MAX)
        });
        if is_done && name != ANY {
            self.forget(name);
        }
    }

    fn forget(&mut self, name: &str) {
        if let Some(served) = self.by_name.remove(name) {
            let mut left = served.gone;
            left.add(&served.database.read());
            self.served(ANY).gone.add(&left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(databases: &Databases) -> Totals {
        let mut sum = Totals::default();
        for (_, totals) in databases.read() {
            sum.add(&totals);
        }
        sum
    }

    #[test]
    fn names_that_no_server_has_let_in_are_forgotten_and_their_sums_are_not() {
        let mut databases = Databases::default();
        for at in 0..3 * NAMES_MAX {
            let guess = databases.enter(&format!("guess {at}"));
            guess.count_failed_login();
            let totals = Totals {
                bytes_in: 7,
                ..Totals::default()
            };
            databases.leave(&guess, &totals);
        }
        assert_eq!(databases.by_name.keys().collect::<Vec<_>>(), [ANY]);
        let sum = sum(&databases);
        let count = 3 * NAMES_MAX as u64;
        assert_eq!((sum.failed_logins, sum.bytes_in), (count, 7 * count));
    }

    #[test]
    fn a_name_that_was_only_paused_is_forgotten() {
        let mut databases = Databases::default();
        let hold = Hold::Database("typo".to_owned());
        databases.close(&hold);
        let client = databases.enter("typo");
        databases.leave(&client, &Totals::default());
        assert!(client.gate.is_closed() && databases.by_name.contains_key("typo"));
        databases.open(&hold);
        assert!(!client.gate.is_closed() && !databases.by_name.contains_key("typo"));
    }

    #[test]
    fn strangers_names_are_forgotten_in_a_pause_of_everything_too() {
        let mut databases = Databases::default();
        databases.close(&Hold::Maintenance);
        for at in 0..10 {
            let guess = databases.enter(&format!("guess {at}"));
            assert!(guess.gate.is_closed());
            databases.leave(&guess, &Totals::default());
        }
        assert!(databases.by_name.len() <= 1);
    }

    #[test]
    fn real_names_are_kept_up_to_a_bound() {
        let mut databases = Databases::default();
        databases.configure(["shop"].into_iter());
        for at in 0..2 * NAMES_MAX {
            let real = databases.enter(&format!("real {at}"));
            real.count_login();
            databases.leave(&real, &Totals::default());
        }
        assert!(databases.by_name.len() <= NAMES_MAX + 1);
        assert_eq!(sum(&databases).logins, 2 * NAMES_MAX as u64);
        assert!(databases.by_name.contains_key("shop"));
    }
}
