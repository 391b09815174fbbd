//! Replica identities of the source that a run has changed.

use crate::base::QualifiedName;
use crate::base::ident::quote_ident;

use super::{Error, Store};

/// What identifies the rows of a table: its `REPLICA IDENTITY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The primary key; nothing where there is none.
    Default,
    /// Nothing.
    Nothing,
    /// All columns.
    Full,
    /// The columns of this index, which has the schema of its table.
    Index(String),
}

impl ReplicaIdentity {
    /// What `pg_class.relreplident` means, with the index that is marked for it. Without one, rows are
    /// identified by nothing.
    pub fn of_catalog(kind: &str, index: Option<String>) -> Option<Self> {
        match (kind, index) {
            ("d", _) => Some(ReplicaIdentity::Default),
            ("f", _) => Some(ReplicaIdentity::Full),
            ("i", Some(index)) => Some(ReplicaIdentity::Index(index)),
            ("n" | "i", _) => Some(ReplicaIdentity::Nothing),
            _ => None,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            ReplicaIdentity::Default => "d",
            ReplicaIdentity::Nothing => "n",
            ReplicaIdentity::Full => "f",
            ReplicaIdentity::Index(_) => "i",
        }
    }

    fn index(&self) -> Option<&str> {
        match self {
            ReplicaIdentity::Index(index) => Some(index),
            _ => None,
        }
    }

    /// The SQL that gives it to `table`.
    pub fn sql(&self, table: &QualifiedName) -> String {
        let identity = match self {
            ReplicaIdentity::Default => "DEFAULT".to_owned(),
            ReplicaIdentity::Nothing => "NOTHING".to_owned(),
            ReplicaIdentity::Full => "FULL".to_owned(),
            ReplicaIdentity::Index(index) => format!("USING INDEX {}", quote_ident(index)),
        };
        format!(
            "ALTER TABLE ONLY {} REPLICA IDENTITY {identity}",
            table.quoted()
        )
    }
}

/// A table of the source whose replica identity is changed until the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedIdentity {
    /// The table's OID.
    pub oid: u32,
    /// What the table was called.
    pub name: QualifiedName,
    /// What it was.
    pub before: ReplicaIdentity,
    /// What it is made.
    pub made: ReplicaIdentity,
}

impl Store {
    /// Notes a change that is about to be made. Durable when this returns.
    pub fn note_identity(&mut self, changed: &ChangedIdentity) -> Result<(), Error> {
        self.write("noting a replica identity", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO changed_identity VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    changed.oid,
                    &changed.name.schema,
                    &changed.name.name,
                    changed.before.kind(),
                    changed.before.index(),
                    changed.made.kind(),
                    changed.made.index(),
                ),
            )
        })
        .map(drop)
    }

    /// It is not ours any more.
    pub fn forget_identity(&mut self, oid: u32) -> Result<(), Error> {
        self.write("forgetting a replica identity", |transaction| {
            transaction.execute("DELETE FROM changed_identity WHERE oid = ?1", [oid])
        })
        .map(drop)
    }

    /// Those that were noted and not forgotten, by name.
    pub fn changed_identities(&self) -> Result<Vec<ChangedIdentity>, Error> {
        let rows = self.read("reading replica identities", |connection| {
            let mut statement = connection.prepare(
                "SELECT oid, schema, name, before_kind, before_index, made_kind, made_index
                   FROM changed_identity ORDER BY schema, name, oid",
            )?;
            let rows = statement.query_map([], |row| {
                let name = QualifiedName::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
                let identity = |at: usize| -> rusqlite::Result<(String, Option<String>)> {
                    Ok((row.get(at)?, row.get(at + 1)?))
                };
                Ok((row.get::<_, u32>(0)?, name, identity(3)?, identity(5)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let identity = |(kind, index): (String, Option<String>)| {
            let known = ReplicaIdentity::of_catalog(&kind, index);
            known.ok_or_else(|| self.unknown("a replica identity", kind))
        };
        rows.into_iter()
            .map(|(oid, name, before, made)| {
                Ok(ChangedIdentity {
                    oid,
                    name,
                    before: identity(before)?,
                    made: identity(made)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_identity_is_known_until_it_is_put_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let mut store = Store::create(&path).expect("made");
        let changed = |oid, made| ChangedIdentity {
            oid,
            name: QualifiedName::new("public", format!("Weird \" {oid}")),
            before: ReplicaIdentity::Nothing,
            made,
        };
        let by_index = changed(7, ReplicaIdentity::Index("it's".to_owned()));
        let full = changed(4_000_000_000, ReplicaIdentity::Full);
        for noted in [&by_index, &full, &by_index] {
            store.note_identity(noted).expect("noted");
        }
        drop(store);
        let mut store = Store::open(&path).expect("opened");
        let known = store.changed_identities().expect("read");
        assert_eq!(known, [full.clone(), by_index]);
        store.forget_identity(7).expect("forgotten");
        assert_eq!(store.changed_identities().expect("read"), [full]);
    }

    #[test]
    fn the_sql_names_table_and_index_whatever_they_are_called() {
        let table = QualifiedName::new("public", "Weird \" Name");
        let index = ReplicaIdentity::Index("a\"b".to_owned());
        assert_eq!(
            index.sql(&table),
            "ALTER TABLE ONLY \"public\".\"Weird \"\" Name\" REPLICA IDENTITY USING INDEX \"a\"\"b\""
        );
    }
}
