//! What is to be emptied for a TRUNCATE.
//!
//! | the rows of a relation are | emptied by |
//! |---|---|
//! | in a table of their own | TRUNCATE |
//! | there, some copied after it | DELETE of the others, see [`super::filter`] |
//! | among others | DELETE of what is within its bounds |
//! | the same, where bounds do not say on the target which rows they are | TRUNCATE of the table they are in, if all that the source has of it is emptied; else refused |
//!
//! Bounds may depend on a hash or a collation, see [`crate::store::Partition::is_exact`], and a default
//! partition loses rows to each that is added. So the source is asked whether they are what they were:
//! the stream does not say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::base::QualifiedName;
use crate::catalog::partitions::{self, Placed, places_of, question};
use crate::pg::Session;
use crate::store::Partition;

use super::applier::Applier;
use super::error::{ApplyError, Untold};
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
        let places = self.places_now(emptying).await?;
        let is_shared = |placed: &Option<Placed>| placed.as_ref().is_some_and(|it| it.is_shared);
        let now = match places.iter().any(|(_, placed)| is_shared(placed)) {
            true => self.partitions_now().await?,
            false => None,
        };
        let bounds = |table: &QualifiedName, here: &QualifiedName| {
            let known = self.placement.partition(table);
            bounds_of(known, now.as_ref()).map_err(|why| ApplyError::EmptiedPartition {
                table: Box::new(table.clone()),
                here: Box::new(here.clone()),
                why,
                xid: emptying.begin.xid,
                lsn: emptying.begin.lsn,
                place: emptying.place(),
            })
        };
        for (table, placed) in places {
            let is_shared = is_shared(&placed);
            let here = placed.map_or_else(|| table.clone(), |placed| placed.table);
            match self.filter.contains(&table, transaction) {
                Contains::Everything => {}
                Contains::Nothing if is_shared => {
                    shared.entry(here).or_default().push(table.clone());
                    whole.insert(table);
                }
                Contains::Nothing => {
                    line.rels.push((here.schema, here.name));
                    whole.insert(table);
                }
                Contains::ByRow(parts) => {
                    let mut rows = parts.rows_without(transaction);
                    if is_shared {
                        rows = format!("({}) AND ({rows})", bounds(&table, &here)?);
                    }
                    partly.push((here, rows));
                }
                Contains::Unknown => return Err(self.unknown(&table, emptying.place.clone())),
            }
        }
        for (here, tables) in shared {
            let rows = tables.iter().map(|table| bounds(table, &here));
            match rows.collect::<Result<Vec<_>, _>>() {
                Ok(rows) => partly.extend(rows.into_iter().map(|rows| (here.clone(), rows))),
                Err(_) if self.is_empty_without(&here, &whole, now.as_ref()) => {
                    line.rels.push((here.schema, here.name));
                }
                Err(error) => return Err(error),
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
        let rows = self.writer.target.ask(&question(&partitions)).await?;
        let mut places = places_of(&partitions, rows).into_iter();
        for (table, placed) in &mut tables {
            if self.placement.partition(table).is_some() {
                *placed = places.next();
            }
        }
        Ok(tables)
    }

    /// Whether nothing stays in `here` when `emptied` are: nothing that the source had there when the
    /// migration began, and nothing that it has there `now`.
    fn is_empty_without(
        &self,
        here: &QualifiedName,
        emptied: &HashSet<QualifiedName>,
        now: Option<&Partitions>,
    ) -> bool {
        let known = self.placement.partitions();
        are_emptied(known, here, emptied)
            && now.is_some_and(|now| are_emptied(now.values(), here, emptied))
    }

    /// The partitions that the source has now; none if it is not known.
    async fn partitions_now(&self) -> Result<Option<Partitions>, ApplyError> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let source = Session::connect(source, "apply, at a TRUNCATE").await?;
        let partitions = partitions::partitions(&source).await?.into_iter();
        Ok(Some(
            partitions
                .map(|(_, partition)| (partition.itself.table(), partition))
                .collect(),
        ))
    }
}

/// The partitions of the source, by name.
type Partitions = HashMap<QualifiedName, Partition>;

/// The condition that tells the rows of a partition, `known` from the beginning, from others, if it
/// does on the target and is `now` what it was.
fn bounds_of(known: Option<&Partition>, now: Option<&Partitions>) -> Result<String, Untold> {
    let Some((known, bounds)) = known.and_then(|it| Some((it, it.itself.bounds.clone()?))) else {
        return Err(Untold::Otherwise);
    };
    if !known.is_exact {
        return Err(Untold::Inexact);
    }
    let now = now.ok_or(Untold::Unasked)?.get(&known.itself.table());
    match now.is_some_and(|now| now.itself == known.itself && now.parents == known.parents) {
        false => Err(Untold::Otherwise),
        true if bounds.is_empty() => Ok("true".to_owned()),
        true => Ok(bounds),
    }
}

/// Whether there is a partition of `table`, and each is among `emptied`.
fn are_emptied<'a>(
    mut partitions: impl Iterator<Item = &'a Partition>,
    table: &QualifiedName,
    emptied: &HashSet<QualifiedName>,
) -> bool {
    let is_part = |it: &&Partition| it.parents.iter().any(|above| above.table() == *table);
    let mut parts = partitions.by_ref().filter(is_part).peekable();
    parts.peek().is_some() && parts.all(|part| emptied.contains(&part.itself.table()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Level;

    fn level(name: &str, bounds: Option<&str>) -> Level {
        Level {
            schema: "s".into(),
            name: name.into(),
            bounds: bounds.map(str::to_owned),
        }
    }

    fn partition(name: &str, bounds: &str, parents: &[&str]) -> Partition {
        Partition {
            itself: level(name, Some(bounds)),
            parents: parents.iter().map(|name| level(name, None)).collect(),
            is_exact: true,
            has_own_key: false,
            shown: String::new(),
        }
    }

    fn by_name(partitions: impl IntoIterator<Item = Partition>) -> Partitions {
        let partitions = partitions.into_iter();
        partitions.map(|it| (it.itself.table(), it)).collect()
    }

    #[test]
    fn a_table_is_emptied_with_all_its_partitions_and_not_before() {
        let now = by_name([
            partition("a", "", &["branch", "root"]),
            partition("b", "", &["branch", "root"]),
            partition("c", "", &["root"]),
            partition("d", "", &["other"]),
        ]);
        let is_empty = |table: &str, emptied: &[&str]| {
            let emptied = emptied.iter().map(|name| QualifiedName::new("s", *name));
            are_emptied(
                now.values(),
                &QualifiedName::new("s", table),
                &emptied.collect(),
            )
        };
        assert!(is_empty("root", &["a", "b", "c"]));
        assert!(!is_empty("root", &["a", "b"]));
        assert!(is_empty("branch", &["a", "b"]));
        assert!(!is_empty("branch", &["a", "c"]));
        assert!(
            !is_empty("gone", &["a", "b", "c"]),
            "it has another name by now"
        );
    }

    #[test]
    fn bounds_tell_rows_if_they_are_what_they_were() {
        let known = partition("a", "id < 5", &["root"]);
        let now = by_name([known.clone()]);
        let told = |known, now: Option<Partition>| {
            bounds_of(known, now.map(|now| by_name([now])).as_ref())
        };
        assert_eq!(bounds_of(Some(&known), Some(&now)), Ok("id < 5".into()));
        let unbounded = partition("a", "", &["root"]);
        assert_eq!(
            told(Some(&unbounded), Some(unbounded.clone())),
            Ok("true".into())
        );
        assert_eq!(bounds_of(Some(&known), None), Err(Untold::Unasked));
        assert_eq!(told(None, Some(known.clone())), Err(Untold::Otherwise));
        for changed in [
            partition("a", "id < 6", &["root"]),
            partition("a", "id < 5", &["other"]),
            partition("b", "id < 5", &["root"]),
        ] {
            assert_eq!(told(Some(&known), Some(changed)), Err(Untold::Otherwise));
        }
        let hash = Partition {
            is_exact: false,
            ..known.clone()
        };
        assert_eq!(told(Some(&hash), Some(hash.clone())), Err(Untold::Inexact));
    }
}
