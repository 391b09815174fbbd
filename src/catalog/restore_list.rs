//! pg_restore's table of contents, edited by catalog OIDs and by what depends on what.
//!
//! `pg_restore --list` prints a line an entry: `<dump id>; <catalog oid> <object oid> <what …>`.
//! The two OIDs say exactly which object of the source it is, whatever its name looks like; a
//! catalog OID of 0 says that the entry is part of another one: a comment, privileges, the
//! attachment of a partition. With `--verbose` a second line says which:
//! `; depends on: <dump id> …`, with a tab after the semicolon.

use std::collections::{HashMap, HashSet};

use crate::store::LeftOut;

/// OID of the catalog `pg_class`, in every version.
pub const PG_CLASS: u32 = 1259;
/// OID of the catalog `pg_constraint`.
pub const PG_CONSTRAINT: u32 = 2606;
/// OID of the catalog `pg_namespace`.
pub const PG_NAMESPACE: u32 = 2615;
/// OID of the catalog `pg_extension`.
pub const PG_EXTENSION: u32 = 3079;
/// OID of the catalog `pg_statistic_ext`.
pub const PG_STATISTIC_EXT: u32 = 3381;
/// OID of the catalog `pg_collation`.
pub const PG_COLLATION: u32 = 3456;
/// OID of the catalog `pg_event_trigger`.
pub const PG_EVENT_TRIGGER: u32 = 3466;
/// OID of the catalog `pg_default_acl`.
pub const PG_DEFAULT_ACL: u32 = 826;
/// OID of the catalog `pg_publication`.
pub const PG_PUBLICATION: u32 = 6104;
/// OID of the catalog `pg_publication_rel`.
pub const PG_PUBLICATION_REL: u32 = 6106;
/// OID of the catalog `pg_publication_namespace`.
pub const PG_PUBLICATION_NAMESPACE: u32 = 6237;

/// OID of the catalog `pg_depend`: what is left out there is no object but the hold that a table
/// has on a sequence, which itself stays.
pub const PG_DEPEND: u32 = 2608;

/// Objects of the source: catalog OID and object OID.
pub type Objects = HashSet<(u32, u32)>;

/// The objects that the store says are left out.
pub fn objects(left_out: &[LeftOut]) -> Objects {
    let objects = left_out.iter();
    objects
        .map(|object| (object.catalog_oid, object.object_oid))
        .collect()
}

/// One entry of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the dump.
    pub dump_id: u32,
    /// Catalog and object OID; the catalog is 0 for what is part of another entry.
    pub object: (u32, u32),
    /// Kind, schema, name and owner, as pg_restore prints them.
    pub what: String,
    /// The entries that it needs.
    pub depends: Vec<u32>,
}

impl Entry {
    /// Whether it is part of another entry: a comment, privileges, an attachment.
    pub fn is_part(&self) -> bool {
        self.object.0 == 0
    }

    /// Whether it is a foreign key.
    pub fn is_foreign_key(&self) -> bool {
        self.object.0 == PG_CONSTRAINT && self.what.starts_with("FK CONSTRAINT ")
    }

    /// Whether it is a comment on an extension.
    pub fn is_extension_comment(&self) -> bool {
        self.is_part() && self.what.starts_with("COMMENT - EXTENSION ")
    }

    /// Whether it gives and takes privileges on an object.
    pub fn is_privileges(&self) -> bool {
        self.is_part() && self.what.starts_with("ACL ")
    }

    /// Whether neither rows nor other entries need it, so that the target may do without:
    /// comments, privileges, security labels, publications, event triggers.
    pub fn is_dispensable(&self) -> bool {
        match self.object.0 {
            0 => ["COMMENT ", "ACL ", "SECURITY LABEL "]
                .iter()
                .any(|kind| self.what.starts_with(kind)),
            catalog => matches!(
                catalog,
                PG_DEFAULT_ACL
                    | PG_EVENT_TRIGGER
                    | PG_PUBLICATION
                    | PG_PUBLICATION_REL
                    | PG_PUBLICATION_NAMESPACE
            ),
        }
    }

    fn line(&self) -> String {
        let (catalog, object) = self.object;
        format!("{}; {catalog} {object} {}\n", self.dump_id, self.what)
    }
}

/// The entries as a list for `pg_restore --use-list`.
pub fn list<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    entries.into_iter().map(Entry::line).collect()
}

/// The entries of a dump, by when they are made; each in the order of the dump.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// What rows need.
    pub pre_data: Vec<Entry>,
    /// What needs rows, but for the next two.
    pub post_data: Vec<Entry>,
    /// Foreign keys.
    pub foreign_keys: Vec<Entry>,
    /// What comes after foreign keys: what is part of them, and event triggers, which would fire
    /// while the others are made.
    pub last: Vec<Entry>,
}

/// Reads the list of each section, and the verbose list of everything, which says what depends on
/// what (and names entries besides that pg_restore does not make).
pub fn contents(pre_data: &str, post_data: &str, verbose: &str) -> Contents {
    let mut depends = dependencies(verbose);
    let mut read = |list: &str| -> Vec<Entry> {
        let mut entries: Vec<Entry> = list.lines().filter_map(entry).collect();
        for entry in &mut entries {
            entry.depends = depends.remove(&entry.dump_id).unwrap_or_default();
        }
        entries
    };
    let mut contents = Contents {
        pre_data: read(pre_data),
        ..Contents::default()
    };
    // As pg_restore has it: a privilege that is taken away must not stand in the way of a
    // definition that comes later in the dump, and may be in a later transaction.
    contents.pre_data.sort_by_key(Entry::is_privileges);
    let mut late = HashSet::new();
    for entry in read(post_data) {
        let group = if entry.is_foreign_key() {
            late.insert(entry.dump_id);
            &mut contents.foreign_keys
        } else if entry.object.0 == PG_EVENT_TRIGGER || is_part_of(&entry, &late) {
            late.insert(entry.dump_id);
            &mut contents.last
        } else {
            &mut contents.post_data
        };
        group.push(entry);
    }
    contents
}

fn is_part_of(entry: &Entry, others: &HashSet<u32>) -> bool {
    entry.is_part() && entry.depends.iter().any(|other| others.contains(other))
}

impl Contents {
    /// Leaves out the entries of `left_out` with what is part of them, and those of `made_here`
    /// alone: what is part of them is still wanted.
    pub fn leave_out(&mut self, left_out: &Objects, made_here: &Objects) {
        let struck = self.struck(left_out);
        self.retain(|entry| !struck.contains(&entry.dump_id) && !made_here.contains(&entry.object));
    }

    /// The dump ids of the entries of `gone`, and of what is part of them.
    fn struck(&self, gone: &Objects) -> HashSet<u32> {
        let mut struck = HashSet::new();
        // Sequences that stay, without the table that owned them.
        let mut disowned = HashSet::new();
        for entry in self.all() {
            // The row security of a table stands there with 0 and the table's OID.
            let of_table = (PG_CLASS, entry.object.1);
            if gone.contains(&entry.object) || entry.is_part() && gone.contains(&of_table) {
                struck.insert(entry.dump_id);
            }
            if gone.contains(&(PG_DEPEND, entry.object.1)) {
                disowned.insert(entry.dump_id);
            }
        }
        loop {
            let before = struck.len();
            for entry in self.all().filter(|entry| entry.is_part()) {
                let is_ownership = entry.what.starts_with("SEQUENCE OWNED BY ");
                if is_part_of(entry, &struck) || is_ownership && is_part_of(entry, &disowned) {
                    struck.insert(entry.dump_id);
                }
            }
            if struck.len() == before {
                return struck;
            }
        }
    }

    /// Leaves out the entries that `keep` does not keep.
    pub fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.pre_data.retain(&keep);
        self.post_data.retain(&keep);
        self.foreign_keys.retain(&keep);
        self.last.retain(&keep);
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.pre_data
            .iter()
            .chain(&self.post_data)
            .chain(&self.foreign_keys)
            .chain(&self.last)
    }
}

/// The entries of any list, without what they depend on.
pub fn entries(list: &str) -> Vec<Entry> {
    list.lines().filter_map(entry).collect()
}

/// What each entry of a verbose list depends on.
fn dependencies(verbose: &str) -> HashMap<u32, Vec<u32>> {
    let mut depends = HashMap::new();
    let mut last = None;
    for line in verbose.lines() {
        if let Some(entry) = entry(line) {
            last = Some(entry.dump_id);
        } else if let (Some(dump_id), Some(ids)) = (last, line.strip_prefix(";\tdepends on:")) {
            let ids = ids.split(' ').filter_map(|id| id.parse().ok()).collect();
            depends.insert(dump_id, ids);
        }
    }
    depends
}

/// An entry without what it depends on; none for comments.
fn entry(line: &str) -> Option<Entry> {
    let (dump_id, rest) = line.split_once("; ")?;
    let dump_id = dump_id.parse().ok()?;
    let mut words = rest.splitn(3, ' ');
    let catalog = words.next()?.parse().ok()?;
    let object = words.next()?.parse().ok()?;
    Some(Entry {
        dump_id,
        object: (catalog, object),
        what: words.next()?.to_owned(),
        depends: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRE_DATA: &str = ";
; Archive created at 2026-11-21
;
6; 2615 166540 SCHEMA - FK CONSTRAINT postgres
3499; 0 0 ACL - SCHEMA torture postgres
216; 1259 166516 TABLE public p postgres
3479; 0 0 COMMENT public TABLE p postgres
";
    const POST_DATA: &str = ";
3312; 2606 16402 CONSTRAINT public a b; c a_pkey postgres
3480; 0 0 COMMENT public CONSTRAINT a_pkey ON p postgres
3350; 1259 16410 INDEX public FK CONSTRAINT postgres
3351; 2606 16420 FK CONSTRAINT public orders orders_fkey postgres
3486; 0 0 COMMENT public CONSTRAINT orders_fkey ON orders postgres
3464; 0 166516 ROW SECURITY public p postgres
3310; 3466 166544 EVENT TRIGGER - et postgres
3489; 0 0 COMMENT - EVENT TRIGGER et postgres
";
    const VERBOSE: &str = ";
3472; 1262 166387 DATABASE - small alice
3473; 0 0 COMMENT - DATABASE small alice
;	depends on: 3472
216; 1259 166516 TABLE public p postgres
3479; 0 0 COMMENT public TABLE p postgres
;	depends on: 216
3312; 2606 16402 CONSTRAINT public a b; c a_pkey postgres
;	depends on: 216
3480; 0 0 COMMENT public CONSTRAINT a_pkey ON p postgres
;	depends on: 3312
3351; 2606 16420 FK CONSTRAINT public orders orders_fkey postgres
;	depends on: 3312 216
3486; 0 0 COMMENT public CONSTRAINT orders_fkey ON orders postgres
;	depends on: 3351
3464; 0 166516 ROW SECURITY public p postgres
;	depends on: 216
3310; 3466 166544 EVENT TRIGGER - et postgres
3489; 0 0 COMMENT - EVENT TRIGGER et postgres
;	depends on: 3310
";

    fn read() -> Contents {
        contents(PRE_DATA, POST_DATA, VERBOSE)
    }

    fn ids(entries: &[Entry]) -> Vec<u32> {
        entries.iter().map(|entry| entry.dump_id).collect()
    }

    #[test]
    fn entries_are_grouped_by_kind_and_by_what_they_are_part_of_not_by_name() {
        let contents = read();
        assert_eq!(ids(&contents.pre_data), [6, 216, 3479, 3499]);
        assert_eq!(ids(&contents.post_data), [3312, 3480, 3350, 3464]);
        assert_eq!(ids(&contents.foreign_keys), [3351]);
        assert_eq!(ids(&contents.last), [3486, 3310, 3489]);
        assert_eq!(contents.all().count(), 12);
    }

    #[test]
    fn a_sequence_stays_without_its_owner_and_row_security_goes_with_its_table() {
        let list = "217; 1259 16397 TABLE public t postgres
3395; 0 0 ACL public TABLE t postgres
216; 1259 16396 SEQUENCE public t_id_seq postgres
3397; 0 0 SEQUENCE OWNED BY public t_id_seq postgres
3400; 0 0 COMMENT public SEQUENCE t_id_seq postgres
3383; 0 16397 ROW SECURITY public t postgres
";
        let depends = "3395; 0 0 ACL public TABLE t postgres
;\tdepends on: 217
3397; 0 0 SEQUENCE OWNED BY public t_id_seq postgres
;\tdepends on: 216
3400; 0 0 COMMENT public SEQUENCE t_id_seq postgres
;\tdepends on: 216
";
        let left = |gone: (u32, u32)| {
            let mut contents = contents(list, "", depends);
            contents.leave_out(&Objects::from([gone]), &Objects::new());
            ids(&contents.pre_data)
        };
        assert_eq!(left((PG_DEPEND, 16396)), [217, 216, 3400, 3383, 3395]);
        assert_eq!(left((PG_CLASS, 16397)), [216, 3397, 3400]);
    }

    #[test]
    fn what_is_left_out_goes_with_its_parts_and_what_is_made_here_without() {
        let mut contents = read();
        let left_out = Objects::from([(PG_CLASS, 166_516), (PG_CONSTRAINT, 16420)]);
        let made_here = Objects::from([(PG_CONSTRAINT, 16402)]);
        contents.leave_out(&left_out, &made_here);
        assert_eq!(ids(&contents.pre_data), [6, 3499]);
        assert_eq!(ids(&contents.post_data), [3480, 3350]);
        assert!(contents.foreign_keys.is_empty());
        assert_eq!(ids(&contents.last), [3310, 3489]);
    }

    #[test]
    fn a_list_is_written_as_it_was_read() {
        let contents = read();
        let written = list(&contents.pre_data);
        for line in PRE_DATA.lines().filter(|line| !line.starts_with(';')) {
            assert!(written.lines().any(|written| written == line), "{line}");
        }
    }

    #[test]
    fn only_what_nothing_depends_on_is_dispensable() {
        let dispensable: Vec<_> = read()
            .all()
            .filter(|entry| entry.is_dispensable())
            .map(|entry| entry.dump_id)
            .collect();
        assert_eq!(dispensable, [3479, 3499, 3480, 3486, 3310, 3489]);
    }
}
