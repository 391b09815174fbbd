//! Whether captured tables have kept their names.
//!
//! test_decoding and wal2json tell a table by the name that it has at a change, and the catalog
//! says whose name it is now. Both mean the same table only if no captured one has been renamed or
//! moved to another schema since the migration began: then its name may have stood for another
//! table, or another name for it. So it is looked at the row type of each, whose entry in the
//! catalog is written anew with the table's name, and with its owner and privileges, which are
//! kept with it to tell these apart.
//!
//! Kept in `names` beside the segments: a JSON object with an entry for each captured table,
//! `"<OID>": {"xid": …, "rights": …}`, the transaction that wrote the entry, and a digest of owner
//! and privileges. Written before the first segment. After a crash it is there whole or not at all,
//! and then no segment is either.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::QualifiedName;
use crate::segment;

use super::identities;

const FILE: &str = "names";

/// When the catalog's entry of a table's row type was last written, and with which rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    xid: String,
    rights: String,
}

impl Stamp {
    /// Whether the table may have been renamed between `before` and this.
    fn is_renamed_since(&self, before: &Stamp) -> bool {
        self.xid != before.xid && self.rights == before.rights
    }
}

/// What captured tables are called now, by OID.
pub(super) type Now = BTreeMap<u32, (QualifiedName, Stamp)>;

/// What captured tables have been called since the migration began.
#[derive(Debug)]
pub(super) struct Names {
    path: PathBuf,
    begun_as: BTreeMap<u32, QualifiedName>,
    kept: BTreeMap<u32, Stamp>,
}

impl Names {
    /// What is kept in `folder` of tables that were called so when the migration began.
    pub(super) fn open(
        folder: &Path,
        begun_as: BTreeMap<u32, QualifiedName>,
    ) -> Result<Self, segment::Error> {
        let path = folder.join(FILE);
        Ok(Self {
            kept: identities::read(&path)?,
            path,
            begun_as,
        })
    }

    /// What [`Names::check`] wants to know; none where nothing is captured.
    pub(super) fn query(&self) -> Option<String> {
        let oids: Vec<_> = self.begun_as.keys().map(u32::to_string).collect();
        (!oids.is_empty()).then(|| {
            format!(
                "SELECT c.oid, n.nspname, c.relname, t.xmin,
                        pg_catalog.md5(t.typowner || ' ' || coalesce(t.typacl::text, ''))
                   FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   JOIN pg_catalog.pg_type t ON t.oid = c.reltype
                  WHERE c.oid IN ({})",
                oids.join(", ")
            )
        })
    }

    /// A table that is called otherwise `now`, or was for a while: what it was called when the
    /// migration began, and now. If there is none, what is new of them is kept durably.
    pub(super) fn check(
        &mut self,
        now: Now,
    ) -> Result<Option<(QualifiedName, QualifiedName)>, segment::Error> {
        let before = self.kept.clone();
        for (oid, (name, stamp)) in now {
            let renamed = (self.kept.get(&oid)).is_some_and(|kept| stamp.is_renamed_since(kept));
            match self.begun_as.get(&oid) {
                Some(begun) if *begun != name || renamed => {
                    self.kept = before;
                    return Ok(Some((begun.clone(), name)));
                }
                _ => self.kept.insert(oid, stamp),
            };
        }
        if self.kept != before {
            identities::write(&self.path, &self.kept)?;
        }
        Ok(None)
    }
}

/// Reads the answer to [`Names::query`]; none if it is not as asked for.
pub(super) fn read(rows: Vec<Vec<Option<String>>>) -> Option<Now> {
    let read_row = |row: Vec<Option<String>>| {
        let [oid, schema, name, xid, rights] = <[Option<String>; 5]>::try_from(row).ok()?;
        let stamp = Stamp {
            xid: xid?,
            rights: rights?,
        };
        Some((
            oid?.parse().ok()?,
            (QualifiedName::new(schema?, name?), stamp),
        ))
    };
    rows.into_iter().map(read_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(tables: &[(u32, &str, &str, &str)]) -> Now {
        let row = |(oid, name, xid, rights): &(u32, &str, &str, &str)| {
            let text = |text: &str| Some(text.to_owned());
            vec![
                text(&oid.to_string()),
                text("s"),
                text(name),
                text(xid),
                text(rights),
            ]
        };
        read(tables.iter().map(row).collect()).expect("as asked for")
    }

    #[test]
    fn a_table_that_had_another_name_is_found_whenever_it_is_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |name: &str| QualifiedName::new("s", name);
        let open = || {
            let begun_as = BTreeMap::from([(1, name("a")), (2, name("b")), (3, name("gone"))]);
            Names::open(folder.path(), begun_as).expect("opened")
        };
        let check = |tables: &[_]| open().check(now(tables)).expect("checked");
        assert_eq!(check(&[(1, "a", "10", "x"), (2, "b", "10", "x")]), None);
        // Its owner changed, which excuses one new entry and no other.
        assert_eq!(check(&[(1, "a", "11", "y"), (2, "b", "10", "x")]), None);
        for _ in 0..2 {
            let found = check(&[(1, "a", "12", "y"), (2, "b", "10", "x")]);
            assert_eq!(found, Some((name("a"), name("a"))));
            let found = check(&[(1, "a", "11", "y"), (2, "c", "12", "x")]);
            assert_eq!(found, Some((name("b"), name("c"))));
        }
        assert_eq!(check(&[(1, "a", "11", "y"), (2, "b", "10", "x")]), None);
    }

    #[test]
    fn an_answer_that_is_not_as_asked_for_is_refused() {
        assert!(read(vec![vec![Some("1".into())]]).is_none());
        assert!(read(vec![vec![None; 5]]).is_none());
    }
}
