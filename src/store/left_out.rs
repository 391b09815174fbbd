//! Objects of the source that the target does not get.

use crate::base::QualifiedName;

use super::{Error, Store};

/// An object that filters or options leave out, or that depends on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The OID of the catalog it stands in, such as `pg_class`.
    pub catalog_oid: u32,
    /// Its OID in there.
    pub object_oid: u32,
    /// For people: `table`, `index`, `extension`, …
    pub kind: String,
    /// Its schema, if it is in one.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// For people: the section of the filters, or the option.
    pub reason: String,
}

/// A table that is made on the target and stays empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsLeftOut {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// For people: the section of the filters.
    pub reason: String,
}

impl Store {
    /// Writes the tables that are made and stay empty, replacing what was there.
    pub fn set_rows_left_out(&mut self, tables: &[RowsLeftOut]) -> Result<(), Error> {
        self.write("writing what stays empty", |transaction| {
            transaction.execute("DELETE FROM rows_left_out", [])?;
            let mut insert =
                transaction.prepare("INSERT INTO rows_left_out VALUES (?1, ?2, ?3, ?4)")?;
            for RowsLeftOut { oid, name, reason } in tables {
                insert.execute((oid, &name.schema, &name.name, reason))?;
            }
            Ok(())
        })
    }

    /// The tables that are made and stay empty, by schema and name.
    pub fn rows_left_out(&self) -> Result<Vec<RowsLeftOut>, Error> {
        self.read("reading what stays empty", |connection| {
            let mut statement = connection.prepare(
                "SELECT table_oid, schema, name, reason FROM rows_left_out ORDER BY schema, name",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(RowsLeftOut {
                    oid: row.get(0)?,
                    name: QualifiedName::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?),
                    reason: row.get(3)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Writes what is left out, replacing what was there.
    pub fn set_left_out(&mut self, objects: &[LeftOut]) -> Result<(), Error> {
        self.write("writing what is left out", |transaction| {
            transaction.execute("DELETE FROM left_out", [])?;
            let mut insert = transaction
                .prepare("INSERT OR IGNORE INTO left_out VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for object in objects {
                insert.execute((
                    object.catalog_oid,
                    object.object_oid,
                    &object.kind,
                    &object.schema,
                    &object.name,
                    &object.reason,
                ))?;
            }
            Ok(())
        })
    }

    /// What is left out, by schema and name.
    pub fn left_out(&self) -> Result<Vec<LeftOut>, Error> {
        self.read("reading what is left out", |connection| {
            let mut statement = connection.prepare(
                "SELECT catalog_oid, object_oid, kind, schema, name, reason
                   FROM left_out ORDER BY schema, name, catalog_oid, object_oid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(LeftOut {
                    catalog_oid: row.get(0)?,
                    object_oid: row.get(1)?,
                    kind: row.get(2)?,
                    schema: row.get(3)?,
                    name: row.get(4)?,
                    reason: row.get(5)?,
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
    fn what_is_left_out_is_replaced_as_a_whole_and_an_object_stands_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        let object = |object_oid| LeftOut {
            catalog_oid: 1259,
            object_oid,
            kind: "table".into(),
            schema: Some("public".into()),
            name: format!("t{object_oid}"),
            reason: "exclude-table".into(),
        };
        store
            .set_left_out(&[object(1), object(2), object(2)])
            .expect("written");
        assert_eq!(store.left_out().expect("read"), [object(1), object(2)]);
        store.set_left_out(&[object(3)]).expect("written");
        assert_eq!(store.left_out().expect("read"), [object(3)]);
    }

    #[test]
    fn what_stays_empty_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        let table = |oid| RowsLeftOut {
            oid,
            name: QualifiedName::new("a b", format!("t{oid}")),
            reason: "exclude-table-data".into(),
        };
        for tables in [vec![table(1), table(2)], vec![table(3)], vec![]] {
            store.set_rows_left_out(&tables).expect("written");
            assert_eq!(store.rows_left_out().expect("read"), tables);
        }
    }
}
