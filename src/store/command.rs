//! What was run on this work directory, for those who look back.

use super::database::now;
use super::{Error, Store};

/// Commands that are kept: cron may begin one every minute, and the last ones tell the most.
const COMMANDS_MAX: u32 = 200;

/// A command that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRun {
    /// When, in seconds since 1970.
    pub at: f64,
    /// The version of pgflit.
    pub version: String,
    /// As it was typed, passwords hidden.
    pub line: String,
}

impl Store {
    /// Keeps `line`, which must hold no password, as what is run now.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn note_command(&mut self, line: &str) -> Result<(), Error> {
        self.write("noting the command", |transaction| {
            transaction.execute(
                "INSERT INTO command (at, version, line) VALUES (?1, ?2, ?3)",
                (now(), env!("CARGO_PKG_VERSION"), line),
            )?;
            transaction.execute(
                "DELETE FROM command WHERE id <= (SELECT max(id) FROM command) - ?1",
                [COMMANDS_MAX],
            )
        })
        .map(drop)
    }

    /// What was run, in order.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn commands(&self) -> Result<Vec<CommandRun>, Error> {
        self.read("reading the commands", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT at, version, line FROM command ORDER BY id")?;
            let rows = statement.query_map([], |row| {
                Ok(CommandRun {
                    at: row.get(0)?,
                    version: row.get(1)?,
                    line: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_commands_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        for number in 0..COMMANDS_MAX + 3 {
            store.note_command(&number.to_string()).expect("noted");
        }
        let commands = store.commands().expect("read");
        assert_eq!(commands.len(), COMMANDS_MAX as usize);
        assert_eq!(commands[0].line, "3");
    }
}
