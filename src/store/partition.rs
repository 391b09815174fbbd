//! The partitions of the source, as its catalog had them when the migration began.

use serde::{Deserialize, Serialize};

use super::{Error, Store};
use crate::base::QualifiedName;

/// A table with rows that is a partition of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// What it is called, and which rows it takes.
    pub itself: Level,
    /// The tables that it is part of, the nearest first, the root last.
    pub parents: Vec<Level>,
    /// Whether the condition of its bounds holds for the same rows on every server: not where they
    /// depend on a hash, or on the order of a collation.
    pub is_exact: bool,
    /// Whether what identifies its rows is an index of its own, so that other partitions of the root
    /// may have rows with the same key.
    pub has_own_key: bool,
    /// Its bounds and those of its parents, for people.
    pub shown: String,
}

/// A table of a tree of partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Its schema.
    pub schema: String,
    /// Its name in that.
    pub name: String,
    /// The condition that its rows fulfil, as SQL, empty if there is none; none of a root.
    pub bounds: Option<String>,
}

impl Level {
    /// Its name with its schema.
    pub fn table(&self) -> QualifiedName {
        QualifiedName::new(&self.schema, &self.name)
    }
}

impl Store {
    /// Writes which of the tables that are copied are partitions, replacing what was there. Others
    /// of `partitions` are passed over.
    pub fn set_partitions(&mut self, partitions: &[(u32, Partition)]) -> Result<(), Error> {
        self.write("writing the partitions", |transaction| {
            transaction.execute("DELETE FROM source_partition", [])?;
            let mut insert = transaction.prepare(
                "INSERT INTO source_partition SELECT oid, ?2 FROM source_table WHERE oid = ?1",
            )?;
            for (oid, partition) in partitions {
                let partition = serde_json::to_string(partition).unwrap_or_default();
                insert.execute((oid, partition))?;
            }
            Ok(())
        })
    }

    /// The tables that are copied and are partitions; none of a migration that an earlier pgflit
    /// began.
    pub fn partitions(&self) -> Result<Vec<Partition>, Error> {
        self.read("reading the partitions", |connection| {
            let sql = "SELECT partition FROM source_partition ORDER BY table_oid";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let json: String = row.get(0)?;
                serde_json::from_str(&json).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(
                        0,
                        rusqlite::types::Type::Text,
                        error.into(),
                    )
                })
            })?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Capture, TableRow};

    #[test]
    fn partitions_that_are_copied_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        assert_eq!(store.partitions().expect("read"), []);
        let table = TableRow {
            oid: 7,
            name: QualifiedName::new("public", "low"),
            columns: vec![],
            bytes: 0,
            estimated_rows: 0,
            capture: Capture::Rows,
            uncaptured: 0,
        };
        store.set_catalog(&[table], &[]).expect("written");
        let level = |name: &str, bounds: Option<&str>| Level {
            schema: "public".into(),
            name: name.into(),
            bounds: bounds.map(str::to_owned),
        };
        let low = Partition {
            itself: level("low", Some("((name >= 'it''s \"odd\"'::text))")),
            parents: vec![level("whole", None)],
            is_exact: false,
            has_own_key: true,
            shown: "public.whole DEFAULT".into(),
        };
        let both = [(7, low.clone()), (8, low.clone())];
        store.set_partitions(&both).expect("written");
        assert_eq!(store.partitions().expect("read"), [low]);
        store.set_partitions(&[]).expect("written");
        assert_eq!(store.partitions().expect("read"), []);
    }
}
