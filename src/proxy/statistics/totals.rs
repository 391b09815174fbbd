//! Counters as plain values that can be added up.

use super::histogram::Distribution;
use super::sqlstate::KINDS;

/// What a client, a database or all of them did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Transactions that ended, and how long they took. A statement outside of any counts as one.
    pub transactions: Distribution,
    /// Answers (ReadyForQuery), and how long they were waited for.
    pub queries: Distribution,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// How long clients waited for a server connection: for a place among those that may be open,
    /// for it to be opened, and where the proxy logs in there itself, for that.
    pub server_wait_ns: u64,
    /// How long clients with something to say waited for the end of a pause.
    pub pause_wait_ns: u64,
    /// Server connections that were opened and logged in.
    pub logins: u64,
    /// Clients that were refused before that, whatever the reason.
    pub failed_logins: u64,
    /// Errors that servers reported, by class; see [`super::sqlstate`].
    pub errors: [u64; KINDS],
}

impl Default for Totals {
    fn default() -> Self {
        Totals {
            transactions: Distribution::default(),
            queries: Distribution::default(),
            bytes_in: 0,
            bytes_out: 0,
            server_wait_ns: 0,
            pause_wait_ns: 0,
            logins: 0,
            failed_logins: 0,
            errors: [0; KINDS],
        }
    }
}

impl Totals {
    /// Adds the other's.
    pub fn add(&mut self, other: &Totals) {
        self.transactions.add(&other.transactions);
        self.queries.add(&other.queries);
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.server_wait_ns += other.server_wait_ns;
        self.pause_wait_ns += other.pause_wait_ns;
        self.logins += other.logins;
        self.failed_logins += other.failed_logins;
        for (sum, more) in self.errors.iter_mut().zip(other.errors) {
            *sum += more;
        }
    }

    /// All waits.
    pub fn wait_ns(&self) -> u64 {
        self.server_wait_ns + self.pause_wait_ns
    }
}
