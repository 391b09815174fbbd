//! What is to be emptied for a TRUNCATE.
//!
//! | the rows of a relation are | emptied by |
//! |---|---|
//! | in a table of their own | TRUNCATE |
//! | there, some copied after it | DELETE of the others, see [`super::filter`] |
//! | among others, and all those are emptied too | TRUNCATE of the table they are in |
//! | among others that stay | DELETE of what is within its bounds |
//!
//! The last is refused where bounds do not say on the target which rows they are, see
//! [`crate::store::Partition::is_exact`].

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::base::QualifiedName;
use crate::catalog::partitions::{Placed, places_of, question};
use crate::store::Partition;

use super::applier::Applier;
use super::error::ApplyError;
use super::expect::{Emptied, Emptying};
use super::filter::{Committed, Contains};

impl Applier {
    /// What is to be done for a TRUNCATE; none if the copy contains all of it.
    pub(super) async fn emptied(
        &mut self,
        emptying: &Arc<Emptying>,
        transaction: Committed,
    ) -> Result<Option<Emptied>, ApplyError> {
        let mut line = emptying.line.clone();
        line.rels.clear();
        let mut partly = Vec::new();
        // Those that are emptied as a whole; and of them those that are among others, by where.
        let mut whole = HashSet::new();
        let mut shared: BTreeMap<QualifiedName, Vec<QualifiedName>> = BTreeMap::new();
        for (table, placed) in self.places_now(emptying).await? {
            let here = placed.as_ref().map_or(&table, |placed| &placed.table);
            let is_shared = placed.as_ref().is_some_and(|placed| placed.is_shared);
            match self.filter.contains(&table, transaction) {
                Contains::Everything => {}
                Contains::Nothing if is_shared => {
                    shared.entry(here.clone()).or_default().push(table.clone());
                    whole.insert(table);
                }
                Contains::Nothing => {
                    line.rels.push((here.schema.clone(), here.name.clone()));
                    whole.insert(table);
                }
                Contains::ByRow(parts) => {
                    let mut rows = parts.rows_without(transaction);
                    if is_shared {
                        let bounds = self.bounds_of(&table, here, emptying)?;
                        rows = format!("({bounds}) AND ({rows})");
                    }
                    partly.push((here.clone(), rows));
                }
                Contains::Unknown => return Err(self.unknown(&table, emptying.place.clone())),
            }
        }
        for (here, tables) in shared {
            if self.placement.is_empty_without(&here, &whole) {
                line.rels.push((here.schema, here.name));
                continue;
            }
            for table in tables {
                let bounds = self.bounds_of(&table, &here, emptying)?;
                partly.push((here.clone(), bounds));
            }
        }
        let is_nothing = line.rels.is_empty() && partly.is_empty();
        Ok((!is_nothing).then(|| Emptied {
            emptying: Arc::clone(emptying),
            line,
            partly,
        }))
    }

    /// The relations of a TRUNCATE; where the rows of those are that are partitions. Asked for each
    /// time: a change that no longer finds its table is refused, but this would empty other rows.
    async fn places_now(
        &mut self,
        emptying: &Emptying,
    ) -> Result<Vec<(QualifiedName, Option<Placed>)>, ApplyError> {
        let rels = emptying.line.rels.iter();
        let tables = rels.map(|(schema, name)| QualifiedName::new(schema, name));
        let mut tables: Vec<_> = tables.map(|table| (table, None)).collect();
        let partitions = tables
            .iter()
            .filter_map(|(table, _)| self.placement.partition(table));
        let partitions: Vec<&Partition> = partitions.collect();
        if partitions.is_empty() {
            return Ok(tables);
        }
        let rows = self.target.ask(&question(&partitions)).await?;
        let mut places = places_of(&partitions, rows).into_iter();
        for (table, placed) in &mut tables {
            if self.placement.partition(table).is_some() {
                *placed = places.next();
            }
        }
        Ok(tables)
    }

    /// The condition that tells the rows of a partition from the others in `here`.
    fn bounds_of(
        &self,
        table: &QualifiedName,
        here: &QualifiedName,
        emptying: &Emptying,
    ) -> Result<String, ApplyError> {
        let exact = self.placement.partition(table).filter(|it| it.is_exact);
        let bounds = exact.and_then(|it| it.itself.bounds.clone());
        match bounds {
            Some(bounds) if bounds.is_empty() => Ok("true".to_owned()),
            Some(bounds) => Ok(bounds),
            None => Err(ApplyError::EmptiedPartition {
                table: Box::new(table.clone()),
                here: Box::new(here.clone()),
                xid: emptying.begin.xid,
                lsn: emptying.begin.lsn,
                place: emptying.place(),
            }),
        }
    }
}
