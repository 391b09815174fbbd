//! What the source has told of relations, and which of it stands in the current segment.

use std::collections::{HashMap, HashSet};

use crate::cdc::change::Relation;

/// When something was told: later is greater. A block of a streamed transaction is one moment.
pub(super) type Moment = u64;

/// The latest description of each relation.
///
/// The source tells a description once and then counts on it. What it told inside a streamed
/// transaction counts for that transaction at once, and for everybody from its commit on; if it
/// is aborted, never. By then the source may have told everybody something newer, which must stay.
#[derive(Debug, Default)]
pub(super) struct Relations {
    known: HashMap<u32, Known>,
    /// Told to everybody after what the transaction being released was told.
    newer: HashMap<u32, Known>,
    /// Described by the current segment since this start, as they are known.
    described: HashSet<u32>,
    now: Moment,
}

#[derive(Debug)]
struct Known {
    relation: Relation,
    told: Moment,
}

impl Relations {
    /// A moment after everything told so far.
    pub(super) fn next_moment(&mut self) -> Moment {
        self.now += 1;
        self.now
    }

    /// The source tells everybody, now.
    pub(super) fn learn(&mut self, relation: Relation) {
        let told = self.next_moment();
        self.learn_told(relation, told);
    }

    /// The transaction that is being released was told at that moment.
    pub(super) fn learn_told(&mut self, relation: Relation, told: Moment) {
        let rel = relation.rel;
        let before = self.known.insert(rel, Known { relation, told });
        let Some(before) = before else {
            return;
        };
        if self.known.get(&rel).map(|known| &known.relation) != Some(&before.relation) {
            self.described.remove(&rel);
        }
        if before.told > told {
            self.newer.entry(rel).or_insert(before);
        }
    }

    /// The transaction is released: what it was told counts for everybody, unless older.
    pub(super) fn end_release(&mut self) {
        for (rel, newer) in std::mem::take(&mut self.newer) {
            if self
                .known
                .get(&rel)
                .is_none_or(|known| known.told < newer.told)
            {
                self.known.insert(rel, newer);
                self.described.remove(&rel);
            }
        }
    }

    /// A segment begins: nothing stands in it.
    pub(super) fn begin_segment(&mut self) {
        self.described.clear();
    }

    /// The description that must stand before a change of `rel`, unless it does already.
    pub(super) fn describe_once(&mut self, rel: u32) -> Option<&Relation> {
        let known = self.known.get(&rel)?;
        self.described.insert(rel).then_some(&known.relation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::change::Identity;

    fn relation(table: &str) -> Relation {
        Relation {
            rel: 7,
            schema: "s".into(),
            table: table.into(),
            columns: vec![],
            identity: Identity::Default,
        }
    }

    fn described(relations: &mut Relations) -> Option<String> {
        let relation = relations.describe_once(7);
        relation.map(|relation| relation.table.clone())
    }

    #[test]
    fn a_relation_is_described_once_in_a_segment_unless_it_changes() {
        let mut relations = Relations::default();
        assert_eq!(described(&mut relations), None);
        relations.learn(relation("old"));
        assert_eq!(described(&mut relations).as_deref(), Some("old"));
        relations.learn(relation("old"));
        assert_eq!(described(&mut relations), None);
        relations.learn(relation("new"));
        assert_eq!(described(&mut relations).as_deref(), Some("new"));
        relations.begin_segment();
        assert_eq!(described(&mut relations).as_deref(), Some("new"));
    }

    #[test]
    fn what_everybody_was_told_later_outlives_a_release() {
        let mut relations = Relations::default();
        let block = relations.next_moment();
        relations.learn(relation("renamed"));
        assert_eq!(described(&mut relations).as_deref(), Some("renamed"));
        relations.learn_told(relation("as the transaction saw it"), block);
        assert_eq!(
            described(&mut relations).as_deref(),
            Some("as the transaction saw it")
        );
        relations.end_release();
        assert_eq!(described(&mut relations).as_deref(), Some("renamed"));
    }

    #[test]
    fn what_a_transaction_was_told_last_counts_for_everybody_after_it() {
        let mut relations = Relations::default();
        let first = relations.next_moment();
        relations.learn(relation("before"));
        let second = relations.next_moment();
        relations.learn_told(relation("first block"), first);
        relations.learn_told(relation("altered"), second);
        relations.end_release();
        assert_eq!(described(&mut relations).as_deref(), Some("altered"));
    }
}
