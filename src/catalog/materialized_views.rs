//! Materialized views: which are populated, and which have to be before which.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::discovery::USERS_OWN;
use crate::base::QualifiedName;
use crate::pg::{Error, Session};

/// The materialized views of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterializedView {
    /// Its name.
    pub name: QualifiedName,
    /// Whether it was refreshed since it was made `WITH NO DATA`.
    pub is_populated: bool,
    /// 0 if it reads no other, not through a view either; else one more than the highest it reads.
    pub level: usize,
}

/// The user's own, by level.
pub async fn materialized_views(session: &Session) -> Result<Vec<MaterializedView>, Error> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relispopulated
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'm' AND {USERS_OWN} ORDER BY 2, 3"
    );
    let rows = session.query(&sql, &[]).await?;
    let sql = "SELECT r.ev_class, d.refobjid
                 FROM pg_rewrite r
                 JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
                 JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                                 AND d.refclassid = 'pg_class'::regclass
                 JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')
                WHERE d.refobjid <> r.ev_class";
    let mut reads = Reads::new();
    for row in session.query(sql, &[]).await? {
        let of: &mut Vec<u32> = reads.entry(row.get(0)).or_default();
        of.push(row.get(1));
    }
    let materialized: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
    let levels = levels(&materialized, &reads);
    let mut views: Vec<_> = rows
        .iter()
        .zip(levels)
        .map(|(row, level)| MaterializedView {
            name: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            is_populated: row.get(3),
            level,
        })
        .collect();
    views.sort_by_key(|view| view.level);
    Ok(views)
}

/// Which views and materialized views each of them reads.
type Reads = HashMap<u32, Vec<u32>>;

/// The level of each of `materialized`.
fn levels(materialized: &[u32], reads: &Reads) -> Vec<usize> {
    let mut known: HashMap<u32, usize> = HashMap::new();
    let above = |oid: u32| usize::from(materialized.contains(&oid));
    for first in materialized {
        // Depth first, without recursion: a chain of views may be long.
        let mut path = vec![(*first, false)];
        while let Some((oid, is_ready)) = path.pop() {
            let read = reads.get(&oid).map_or(&[][..], Vec::as_slice);
            if is_ready {
                let level = read
                    .iter()
                    .map(|oid| known.get(oid).map_or(0, |level| level + above(*oid)));
                known.insert(oid, level.max().unwrap_or(0));
            } else if let Entry::Vacant(unknown) = known.entry(oid) {
                // Views that read each other in a circle cannot be read at all.
                unknown.insert(0);
                path.push((oid, true));
                path.extend(read.iter().map(|oid| (*oid, false)));
            }
        }
    }
    let level = |oid| known.get(oid).copied().unwrap_or(0);
    materialized.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_materialized_view_is_above_all_that_it_reads_through_views_too() {
        // 1 and 2 are materialized; 3 reads view 10, which reads 2; 4 reads 3 and 1; 5 view 11.
        let reads = Reads::from([
            (3, vec![10]),
            (10, vec![2, 12]),
            (4, vec![3, 1]),
            (5, vec![11]),
        ]);
        assert_eq!(levels(&[4, 1, 3, 2, 5], &reads), [2, 0, 1, 0, 0]);
    }

    #[test]
    fn a_circle_ends() {
        let reads = Reads::from([(1, vec![2]), (2, vec![1])]);
        assert_eq!(levels(&[1, 2], &reads).len(), 2);
    }
}
