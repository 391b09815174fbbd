//! Standbys whose replay a run has paused.

use super::database::now;
use super::{Error, Store};

impl Store {
    /// Notes that the replay of the standby at `address` (without password) is about to be paused.
    /// Durable when this returns.
    pub fn note_paused(&mut self, address: &str) -> Result<(), Error> {
        self.write("noting a standby that is paused", |transaction| {
            transaction.execute(
                "INSERT INTO paused_standby (address, paused_at) VALUES (?1, ?2)
                 ON CONFLICT (address) DO UPDATE SET paused_at = ?2",
                (address, now()),
            )
        })
        .map(drop)
    }

    /// It is not paused by us any more.
    pub fn forget_paused(&mut self, address: &str) -> Result<(), Error> {
        self.write("noting a standby that is resumed", |transaction| {
            transaction.execute("DELETE FROM paused_standby WHERE address = ?1", [address])
        })
        .map(drop)
    }

    /// The standbys that were noted and not forgotten, by address.
    pub fn paused_standbys(&self) -> Result<Vec<String>, Error> {
        self.read("reading which standbys are paused", |connection| {
            let sql = "SELECT address FROM paused_standby ORDER BY address";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_standby_is_known_until_it_is_resumed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let mut store = Store::create(&path).expect("made");
        for address in ["postgresql://b", "postgresql://a", "postgresql://b"] {
            store.note_paused(address).expect("noted");
        }
        drop(store);
        let mut store = Store::open(&path).expect("opened");
        let known = store.paused_standbys().expect("read");
        assert_eq!(known, ["postgresql://a", "postgresql://b"]);
        store.forget_paused("postgresql://a").expect("forgotten");
        let known = store.paused_standbys().expect("read");
        assert_eq!(known, ["postgresql://b"]);
    }
}
