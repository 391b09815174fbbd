//! Definitions that the target refuses: what it means, and what to do.

use std::fs;

use crate::catalog::ledger::{self, EntryState};
use crate::catalog::restore_list::{Entry, PG_EXTENSION, PG_NAMESPACE};
use crate::clone::{foreign_keys, restore};
use crate::migration::error::MigrationError;
use crate::pg;
use crate::store::WorkDir;

/// The file with the SQL of what was left out, in the folder of definitions.
pub(super) const LEFT_OUT: &str = "left-out.sql";

/// What every definition in such a file begins with.
const MARK: &str = "-- pgflit: ";

/// What every such file begins with: the definitions are printed for these settings.
pub(super) const SETTINGS: &str = "SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SELECT pg_catalog.set_config('search_path', '', false);

";

/// What to do about an entry that the target refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Someone has made it by hand since it was refused.
    Made,
    /// The target can do without.
    LeaveOut,
    /// The migration cannot end well without it.
    Refuse,
}

/// SQLSTATEs of something that is there already: schema, table, object, function.
const DUPLICATE: [&str; 4] = ["42P06", "42P07", "42710", "42723"];

/// Decides by the entry, the target's SQLSTATE, and whether it was refused in an earlier run.
pub(super) fn verdict(entry: &Entry, sqlstate: &str, was_refused: bool) -> Verdict {
    let is_duplicate = DUPLICATE.contains(&sqlstate);
    // The owner of the schema public, which every database has.
    let is_public = entry.object.0 == PG_NAMESPACE && (is_duplicate || sqlstate == "42501");
    if is_duplicate && was_refused {
        Verdict::Made
    } else if is_public || (entry.is_dispensable() && lacks_something(sqlstate) && !is_duplicate) {
        Verdict::LeaveOut
    } else {
        Verdict::Refuse
    }
}

/// Whether the role lacks a privilege (42501), or the target something that the definition names:
/// an object (most of class 42), a feature (0A), a provider of labels (22023), a setting (55000).
fn lacks_something(sqlstate: &str) -> bool {
    sqlstate.starts_with("42") || ["0A000", "22023", "3F000", "55000"].contains(&sqlstate)
}

/// A definition that the target refused.
#[derive(Debug, thiserror::Error)]
#[error("making {what}")]
pub struct Definition {
    /// Its kind and name.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// Why.
    #[source]
    pub source: pg::Error,
}

impl Definition {
    pub(super) fn of(refused: restore::Refused) -> Self {
        let hint = hint(&refused.entry, &refused.error);
        Self {
            what: name(&refused.entry),
            hint,
            source: refused.error,
        }
    }

    pub(super) fn of_foreign_key(refused: foreign_keys::Refused) -> Self {
        let key = refused.key;
        let hint = match refused.error.sqlstate() {
            Some("23503") => {
                "the source holds rows that violate it (written with triggers disabled); mend them there, or validate it on the target later: it is there, NOT VALID"
            }
            _ => GO_ON,
        };
        Self {
            what: format!("foreign key {} of {}.{}", key.name, key.schema, key.table),
            hint: hint.to_owned(),
            source: refused.error,
        }
    }

    /// Writes it to the log.
    pub(super) fn say(&self) {
        tracing::error!("making {}: {}; {}", self.what, self.source, self.hint);
    }
}

const GO_ON: &str = "mend the cause, then run the same command with --resume";

fn hint(entry: &Entry, error: &pg::Error) -> String {
    let is_extension = entry.object.0 == PG_EXTENSION;
    let hint = match error.sqlstate() {
        Some("0A000" | "58P01" | "22023" | "42704") if is_extension => {
            "install the extension's files on the target's server, or leave it out with a filter; then go on with --resume"
        }
        // Servers since the minor releases of November 2026 keep this for themselves, and older
        // programs take it for a setting of the user's.
        Some("22023") if error.to_string().contains("pg_attver") => {
            "pg_dump is older than the source's minor release: install client programs of the same date, or name them with PG_CONFIG, and begin anew with --restart"
        }
        Some("42501") => {
            "have an administrator run its SQL, which is in the work directory's schema folder (*-refused.sql), on the target; then go on with --resume"
        }
        Some(code) if DUPLICATE.contains(&code) => {
            "it is on the target already: drop it there with what depends on it; or have pgflit drop it with --restart --drop-if-exists, which leaves what other objects of the target need"
        }
        _ => GO_ON,
    };
    hint.to_owned()
}

/// An entry for people: kind, schema and name, as pg_restore lists it, without its owner.
pub(super) fn name(entry: &Entry) -> String {
    let name = entry.what.rsplit_once(' ').map_or(&*entry.what, |it| it.0);
    name.replacen(" - ", " ", 1)
}

/// An entry's SQL and why it was refused, for an administrator.
pub(super) fn as_sql(refused: &restore::Refused) -> String {
    let why = format!("{}: {}", name(&refused.entry), refused.error);
    // A name may hold a line feed, and the rest of it would be a statement.
    let why = why.replace(['\n', '\r'], " ");
    format!("{MARK}{why}\n{}\n\n", refused.sql.trim())
}

/// The same for what is tried again on a resume, unless whoever runs it notes it as done.
pub(super) fn as_sql_to_be_done(refused: &restore::Refused) -> String {
    let note = ledger::note_entries_sql(&[refused.entry.dump_id], EntryState::Done);
    format!("{}{note};\n\n", as_sql(refused))
}

/// All that was refused, as one error; none if nothing was.
pub(super) fn all(refused: Vec<Definition>) -> Option<MigrationError> {
    let count = refused.len();
    let first = Box::new(refused.into_iter().next()?);
    Some(MigrationError::Definitions { count, first })
}

/// How many definitions were left out so far, because the target can do without and would not
/// have them; their SQL is in the file that is named.
pub fn left_out(work_dir: &WorkDir) -> Option<(usize, std::path::PathBuf)> {
    let path = work_dir.schema_path().join(LEFT_OUT);
    let text = fs::read_to_string(&path).ok()?;
    let count = text.lines().filter(|line| line.starts_with(MARK)).count();
    (count > 0).then_some((count, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(catalog: u32, what: &str) -> Entry {
        Entry {
            dump_id: 1,
            object: (catalog, 1),
            what: what.to_owned(),
            depends: Vec::new(),
        }
    }

    #[test]
    fn only_what_the_target_can_do_without_is_left_out() {
        let comment = entry(0, "COMMENT - EXTENSION hstore ");
        let table = entry(1259, "TABLE public t alice");
        assert_eq!(verdict(&comment, "42501", false), Verdict::LeaveOut);
        assert_eq!(verdict(&comment, "42704", false), Verdict::LeaveOut);
        assert_eq!(verdict(&comment, "XX000", false), Verdict::Refuse);
        assert_eq!(verdict(&table, "42501", false), Verdict::Refuse);
        let public = entry(PG_NAMESPACE, "SCHEMA - public alice");
        assert_eq!(verdict(&public, "42501", false), Verdict::LeaveOut);
        assert_eq!(verdict(&public, "42P06", false), Verdict::LeaveOut);
    }

    #[test]
    fn what_was_refused_and_is_there_now_was_made_by_hand() {
        let extension = entry(3466, "EVENT TRIGGER - et alice");
        assert_eq!(verdict(&extension, "42710", true), Verdict::Made);
        assert_eq!(verdict(&extension, "42710", false), Verdict::Refuse);
    }

    #[test]
    fn names_are_for_people() {
        assert_eq!(
            name(&entry(0, "COMMENT - EXTENSION hstore ")),
            "COMMENT EXTENSION hstore"
        );
        assert_eq!(
            name(&entry(1259, "TABLE public a - b alice")),
            "TABLE public a - b".replacen(" - ", " ", 1)
        );
    }
}
