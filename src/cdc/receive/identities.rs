//! What identified the rows of captured tables when receive first began.
//!
//! test_decoding does not say by which columns a row is identified, so that is taken from the
//! source's catalog, and must be the same from the first change to the last. It is kept in
//! `identities` beside the segments: a JSON object with an entry for each table that has one,
//! `"<OID>": "<relreplident>:<column numbers>"`. Written once, before the first segment; entries are
//! only added. After a crash it is there whole or not at all, and then no segment is either.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::durable_file;
use crate::segment;

const FILE: &str = "identities";

/// A table's identity by the table's OID.
pub(super) type Identities = BTreeMap<u32, String>;

/// The tables of `now` that were identified otherwise when they were first kept in `folder`. Those
/// that were not kept yet are, durably, when this returns.
pub(super) fn keep(folder: &Path, now: &Identities) -> Result<Vec<u32>, segment::Error> {
    let path = folder.join(FILE);
    let kept: Identities = read(&path)?;
    let changed = now
        .iter()
        .filter(|(oid, identity)| kept.get(oid).is_some_and(|before| before != *identity));
    let changed: Vec<_> = changed.map(|(oid, _)| *oid).collect();
    let mut all = now.clone();
    all.extend(kept.clone());
    if all != kept {
        write(&path, &all)?;
    }
    Ok(changed)
}

/// What is kept in the file at `path` of each table, by OID; nothing if there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<BTreeMap<u32, T>, segment::Error> {
    match std::fs::read(path) {
        Ok(content) => serde_json::from_slice(&content)
            .map_err(io::Error::from)
            .map_err(failed("reading", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed("reading", path)(error)),
    }
}

/// Keeps `all`, durably, in the file at `path`.
pub(super) fn write<T: Serialize>(
    path: &Path,
    all: &BTreeMap<u32, T>,
) -> Result<(), segment::Error> {
    let written = serde_json::to_vec_pretty(all).map_err(io::Error::from);
    let written = written.and_then(|content| durable_file::replace(path, &content));
    written.map_err(failed("writing", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> segment::Error {
    let path = PathBuf::from(path);
    move |source| segment::Error::Io {
        doing,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_that_has_changed_stays_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let keep = |entries: &[(u32, &str)]| {
            let now = entries.iter().map(|(oid, text)| (*oid, (*text).to_owned()));
            keep(folder.path(), &now.collect()).expect("kept")
        };
        assert_eq!(keep(&[(1, "d:1"), (2, "f:")]), [0u32; 0]);
        assert_eq!(keep(&[(2, "f:"), (3, "i:2")]), [0u32; 0]);
        for _ in 0..2 {
            assert_eq!(keep(&[(1, "d:2"), (3, "i:2")]), [1]);
        }
        assert_eq!(keep(&[(1, "d:1")]), [0u32; 0]);
        std::fs::write(folder.path().join(FILE), "{").expect("written");
        assert!(super::keep(folder.path(), &Identities::new()).is_err());
    }
}
