//! Objects of the source that the target does not get.

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

impl Store {
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
}
