//! pg_restore's table of contents, edited by catalog OIDs.
//!
//! `pg_restore --list` prints a line an entry: `<dump id>; <catalog oid> <object oid> <what …>`.
//! The two OIDs say exactly which object of the source it is, whatever its name looks like.

use std::collections::HashSet;

use crate::store::LeftOut;

/// OID of the catalog `pg_class`, in every version.
pub const PG_CLASS: u32 = 1259;
/// OID of the catalog `pg_constraint`.
pub const PG_CONSTRAINT: u32 = 2606;
/// OID of the catalog `pg_publication`.
pub const PG_PUBLICATION: u32 = 6104;
/// OID of the catalog `pg_publication_rel`.
pub const PG_PUBLICATION_REL: u32 = 6106;

/// Objects of the source: catalog OID and object OID.
pub type Objects = HashSet<(u32, u32)>;

/// The objects that the store says are left out.
pub fn objects(left_out: &[LeftOut]) -> Objects {
    let objects = left_out.iter();
    objects
        .map(|object| (object.catalog_oid, object.object_oid))
        .collect()
}

/// Which entries a list keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All that are not left out.
    Everything,
    /// Foreign keys alone.
    ForeignKeys,
    /// All but foreign keys.
    AllButForeignKeys,
}

/// `list` without the entries of `left_out` and those that `keep` does not keep.
pub fn edit(list: &str, left_out: &Objects, keep: Keep) -> String {
    let mut edited = String::with_capacity(list.len());
    for line in list.lines() {
        let kept = match entry(line) {
            None => true,
            Some((object, what)) => {
                let is_foreign_key = what.starts_with("FK CONSTRAINT ");
                !left_out.contains(&object)
                    && match keep {
                        Keep::Everything => true,
                        Keep::ForeignKeys => is_foreign_key,
                        Keep::AllButForeignKeys => !is_foreign_key,
                    }
            }
        };
        if kept {
            edited.push_str(line);
            edited.push('\n');
        }
    }
    edited
}

/// Whether the list has any entry at all.
pub fn is_empty(list: &str) -> bool {
    !list.lines().any(|line| entry(line).is_some())
}

/// The object of an entry and what kind it is; none for comments.
fn entry(line: &str) -> Option<((u32, u32), &str)> {
    let (dump_id, rest) = line.split_once("; ")?;
    dump_id.parse::<u32>().ok()?;
    let mut words = rest.splitn(3, ' ');
    let catalog = words.next()?.parse().ok()?;
    let object = words.next()?.parse().ok()?;
    Some(((catalog, object), words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = ";
; Archive created at 2026-11-21
;
3346; 2606 16402 CONSTRAINT public a b; c a_pkey postgres
3350; 1259 16410 INDEX public FK CONSTRAINT postgres
3351; 2606 16420 FK CONSTRAINT public orders orders_fkey postgres
";

    #[test]
    fn entries_are_left_out_by_oid_whatever_their_names_say() {
        let left_out = Objects::from([(PG_CONSTRAINT, 16402)]);
        let edited = edit(LIST, &left_out, Keep::Everything);
        assert!(!edited.contains("a_pkey"));
        assert!(edited.contains("16410") && edited.contains("16420"));
        assert!(edited.contains("; Archive"));
    }

    #[test]
    fn foreign_keys_are_told_by_kind_not_by_name() {
        let keys = edit(LIST, &Objects::new(), Keep::ForeignKeys);
        assert!(keys.contains("16420") && !keys.contains("16410"));
        let others = edit(LIST, &Objects::new(), Keep::AllButForeignKeys);
        assert!(!others.contains("16420") && others.contains("16410"));
        assert!(is_empty(&edit(
            keys.as_str(),
            &Objects::new(),
            Keep::AllButForeignKeys
        )));
    }
}
