//! Entries of a dump that have no OID of their own and belong to what is left out.
//!
//! Comments, privileges, attachments of partitions and the like stand in pg_restore's list with
//! the OIDs `0 0`. With `--verbose` the list tells after each entry which others it depends on,
//! `; depends on: 217 216` (with a tab), so that nothing has to be told by name.

use std::collections::HashSet;

use super::restore_list::{Objects, PG_CLASS};

/// OID of the catalog `pg_depend`: what is left out there is no object but the hold that a table
/// has on a sequence, which itself stays.
pub const PG_DEPEND: u32 = 2608;

/// `list` without the entries of `gone` and those without an OID that depend on them. `all` is what
/// `pg_restore --list --verbose` prints of the same dump: whatever section is asked for, it then
/// lists every entry.
pub fn without(list: &str, all: &str, gone: &Objects) -> String {
    let struck = struck(all, gone);
    let kept = |line: &&str| id(line).is_none_or(|id| !struck.contains(&id));
    let lines = list.lines().filter(kept);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The dump ids of the entries that go.
fn struck(all: &str, gone: &Objects) -> HashSet<u32> {
    let entries = entries(all);
    let mut struck: HashSet<u32> = HashSet::new();
    let mut disowned: HashSet<u32> = HashSet::new();
    for entry in &entries {
        // The row security of a table stands there with 0 and the table's OID.
        let of_table = (entry.object.0 == 0).then_some((PG_CLASS, entry.object.1));
        if gone.contains(&entry.object) || of_table.is_some_and(|table| gone.contains(&table)) {
            struck.insert(entry.id);
        }
        if gone.contains(&(PG_DEPEND, entry.object.1)) {
            disowned.insert(entry.id);
        }
    }
    loop {
        let before = struck.len();
        for entry in entries.iter().filter(|entry| entry.object.0 == 0) {
            let on = |ids: &HashSet<u32>| entry.depends_on.iter().any(|id| ids.contains(id));
            let is_ownership = entry.what.starts_with("SEQUENCE OWNED BY ");
            if on(&struck) || is_ownership && on(&disowned) {
                struck.insert(entry.id);
            }
        }
        if struck.len() == before {
            return struck;
        }
    }
}

struct Entry<'a> {
    id: u32,
    object: (u32, u32),
    what: &'a str,
    depends_on: Vec<u32>,
}

fn id(line: &str) -> Option<u32> {
    line.split_once("; ")?.0.parse().ok()
}

fn entries(list: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for line in list.lines() {
        if let Some(ids) = line.strip_prefix(";\tdepends on:") {
            let ids = ids
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok());
            if let Some(last) = entries.last_mut() {
                last.depends_on.extend(ids);
            }
        } else if let Some(entry) = entry(line) {
            entries.push(entry);
        }
    }
    entries
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let mut words = line.split_once("; ")?.1.splitn(3, ' ');
    let (catalog, object) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Entry {
        id: id(line)?,
        object: (catalog, object),
        what: words.next()?,
        depends_on: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = ";
; Archive created at 2026-11-21
217; 1259 16397 TABLE public t postgres
3396; 0 0 ACL public COLUMN t.a postgres
;	depends on: 217 3395
3395; 0 0 ACL public TABLE t postgres
;	depends on: 217
216; 1259 16396 SEQUENCE public t_id_seq postgres
;	depends on: 217
3397; 0 0 SEQUENCE OWNED BY public t_id_seq postgres
;	depends on: 216
3400; 0 0 COMMENT public SEQUENCE t_id_seq postgres
;	depends on: 216
3383; 0 16397 ROW SECURITY public t postgres
218; 1259 16405 VIEW public v postgres
;	depends on: 217
";

    fn ids(list: &str) -> Vec<u32> {
        list.lines().filter_map(id).collect()
    }

    #[test]
    fn what_has_no_oid_goes_with_what_it_belongs_to() {
        let kept = without(LIST, LIST, &Objects::from([(PG_CLASS, 16397)]));
        // Whether a view can be made without its table is not told by the list.
        assert_eq!(ids(&kept), [216, 3397, 3400, 218]);
        assert!(kept.contains("; Archive"));
    }

    #[test]
    fn a_sequence_stays_without_its_owner() {
        let kept = without(LIST, LIST, &Objects::from([(PG_DEPEND, 16396)]));
        assert_eq!(ids(&kept), [217, 3396, 3395, 216, 3400, 3383, 218]);
    }

    #[test]
    fn nothing_goes_with_nothing() {
        assert_eq!(without(LIST, LIST, &Objects::new()), LIST);
    }
}
