//! What falls with what is left out: whatever pg_restore could not make without it.
//!
//! A pure walk over `pg_depend`. What belongs to an object falls with it and is no news; what only
//! depends on it falls too and is told to the operator. Three things do not follow the arrows:
//! members of extensions, which CREATE EXTENSION makes; extensions, which are left out by their
//! own filters only; and a sequence that a table owns and a default that stays still uses.

use std::collections::{HashMap, HashSet, VecDeque};

/// OIDs of system catalogs, the same in every version.
pub(super) const PG_CLASS: u32 = 1259;
pub(super) const PG_ATTRDEF: u32 = 2604;
pub(super) const PG_CONSTRAINT: u32 = 2606;
pub(super) const PG_NAMESPACE: u32 = 2615;
pub(super) const PG_EXTENSION: u32 = 3079;
pub(super) const PG_EVENT_TRIGGER: u32 = 3466;

/// An object of the source: the catalog it stands in, and its OID there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Object {
    pub(super) catalog: u32,
    pub(super) oid: u32,
}

impl Object {
    pub(super) const fn new(catalog: u32, oid: u32) -> Self {
        Self { catalog, oid }
    }
}

/// A row of `pg_depend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) object: Object,
    pub(super) on: Object,
    /// `deptype`.
    pub(super) kind: char,
}

impl Edge {
    /// Whether the object is a part of what it depends on.
    fn is_part(&self) -> bool {
        self.kind != 'n' || self.on.catalog == PG_NAMESPACE
    }
}

/// Why an object is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// A filter says so, in these words.
    Filter(String),
    /// It is a part of that.
    PartOf(Object),
    /// It cannot be made without that.
    Needs(Object),
}

/// What is left out, all in all.
#[derive(Debug, Default)]
pub(super) struct Fallen {
    pub(super) causes: HashMap<Object, Cause>,
    /// Sequences that stay, without the table that owns them.
    pub(super) disowned: Vec<Object>,
}

/// The dependencies of a source, both ways.
#[derive(Debug)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    /// Edges by what they are on, and by whose they are.
    on: HashMap<Object, Vec<usize>>,
    of: HashMap<Object, Vec<usize>>,
    sequences: HashSet<Object>,
}

impl Graph {
    /// From all rows of `pg_depend`; `sequences` tells which relations are such.
    pub(super) fn new(edges: &[Edge], sequences: HashSet<Object>) -> Self {
        let members: HashSet<_> = edges
            .iter()
            .filter(|edge| edge.kind == 'e')
            .map(|edge| edge.object)
            .collect();
        let follows = |edge: &&Edge| {
            !members.contains(&edge.object)
                && edge.object.catalog != PG_EXTENSION
                && edge.object != edge.on
        };
        let edges: Vec<_> = edges.iter().filter(follows).copied().collect();
        let mut on: HashMap<_, Vec<_>> = HashMap::new();
        let mut of: HashMap<_, Vec<_>> = HashMap::new();
        for (place, edge) in edges.iter().enumerate() {
            on.entry(edge.on).or_default().push(place);
            of.entry(edge.object).or_default().push(place);
        }
        Self {
            edges,
            on,
            of,
            sequences,
        }
    }

    fn on(&self, object: Object) -> impl Iterator<Item = &Edge> {
        let places = self.on.get(&object).into_iter().flatten();
        places.filter_map(|place| self.edges.get(*place))
    }

    /// What `object` depends on.
    pub(super) fn of(&self, object: Object) -> impl Iterator<Item = &Edge> {
        let places = self.of.get(&object).into_iter().flatten();
        places.filter_map(|place| self.edges.get(*place))
    }

    /// Whether this is a table's hold on a sequence of its own, which others may use.
    fn is_ownership(&self, edge: &Edge) -> bool {
        edge.kind == 'a' && edge.on.catalog == PG_CLASS && self.sequences.contains(&edge.object)
    }

    /// Everything that falls with `seeds`.
    pub(super) fn fall(&self, seeds: Vec<(Object, String)>) -> Fallen {
        let mut fallen = HashMap::new();
        let mut queue = VecDeque::new();
        for (object, reason) in seeds {
            if let std::collections::hash_map::Entry::Vacant(place) = fallen.entry(object) {
                place.insert(Cause::Filter(reason));
                queue.push_back(object);
            }
        }
        loop {
            self.follow(&mut fallen, &mut queue);
            let unused = self.owned_by_fallen(&fallen).filter(|(sequence, _)| {
                !self.on(*sequence).any(|edge| {
                    edge.object.catalog == PG_ATTRDEF && !fallen.contains_key(&edge.object)
                })
            });
            for (sequence, owner) in unused.collect::<Vec<_>>() {
                fallen.insert(sequence, Cause::PartOf(owner));
                queue.push_back(sequence);
            }
            if queue.is_empty() {
                break;
            }
        }
        let disowned = self.owned_by_fallen(&fallen).map(|(sequence, _)| sequence);
        let disowned = disowned.collect();
        self.prefer_parts(&mut fallen);
        Fallen {
            causes: fallen,
            disowned,
        }
    }

    fn follow(&self, fallen: &mut HashMap<Object, Cause>, queue: &mut VecDeque<Object>) {
        while let Some(gone) = queue.pop_front() {
            let dependents = self.on(gone).filter(|edge| !self.is_ownership(edge));
            let dependents = dependents.map(|edge| edge.object);
            // What is made only together with a part of it cannot be made either: the view of a
            // rule, the constraint of an index.
            let wholes = self.of(gone).filter(|edge| edge.kind == 'i');
            let wholes = wholes.map(|edge| edge.on);
            for next in dependents.chain(wholes) {
                fallen.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    Cause::Needs(gone)
                });
            }
        }
    }

    /// Sequences that stay so far, and their owner that does not.
    fn owned_by_fallen<'a>(
        &'a self,
        fallen: &'a HashMap<Object, Cause>,
    ) -> impl Iterator<Item = (Object, Object)> + 'a {
        let owned = self.edges.iter().filter(move |edge| {
            self.is_ownership(edge)
                && fallen.contains_key(&edge.on)
                && !fallen.contains_key(&edge.object)
        });
        owned.map(|edge| (edge.object, edge.on))
    }

    /// What has fallen with what it is a part of needs no other reason.
    fn prefer_parts(&self, fallen: &mut HashMap<Object, Cause>) {
        let needing = fallen
            .iter()
            .filter_map(|(object, cause)| matches!(cause, Cause::Needs(_)).then_some(*object));
        let parts: Vec<_> = needing
            .filter_map(|object| {
                let mut wholes = self.of(object).filter(|edge| edge.is_part());
                let whole = wholes.find(|edge| fallen.contains_key(&edge.on))?;
                // The whole may itself have fallen because of this very part.
                let circular = fallen.get(&whole.on) == Some(&Cause::Needs(object));
                (!circular).then_some((object, whole.on))
            })
            .collect();
        for (object, whole) in parts {
            fallen.insert(object, Cause::PartOf(whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn table(oid: u32) -> Object {
        Object::new(PG_CLASS, oid)
    }

    const fn default(oid: u32) -> Object {
        Object::new(PG_ATTRDEF, oid)
    }

    fn fall(edges: &[(Object, Object, char)], sequences: &[Object], seed: Object) -> Fallen {
        let edges: Vec<_> = edges
            .iter()
            .map(|(object, on, kind)| Edge {
                object: *object,
                on: *on,
                kind: *kind,
            })
            .collect();
        let graph = Graph::new(&edges, sequences.iter().copied().collect());
        graph.fall(vec![(seed, "x".to_owned())])
    }

    #[test]
    fn a_view_falls_with_the_table_its_rule_reads_and_views_on_it_too() {
        let rule = |oid| Object::new(2618, oid);
        let edges = [
            (rule(11), table(2), 'i'),
            (rule(11), table(1), 'n'),
            (rule(12), table(3), 'i'),
            (rule(12), table(2), 'n'),
        ];
        let fallen = fall(&edges, &[], table(1));
        assert_eq!(fallen.causes[&table(2)], Cause::Needs(rule(11)));
        assert!(fallen.causes.contains_key(&table(3)));
        assert!(!fall(&edges, &[], table(3)).causes.contains_key(&table(2)));
    }

    #[test]
    fn a_foreign_key_falls_and_not_its_table() {
        let key = Object::new(PG_CONSTRAINT, 9);
        let edges = [(key, table(2), 'a'), (key, table(1), 'n')];
        let fallen = fall(&edges, &[], table(1));
        assert_eq!(fallen.causes[&key], Cause::Needs(table(1)));
        assert!(!fallen.causes.contains_key(&table(2)));
        // Of its own table it is a part.
        let fallen = fall(&edges, &[], table(2));
        assert_eq!(fallen.causes[&key], Cause::PartOf(table(2)));
    }

    #[test]
    fn an_owned_sequence_stays_while_another_default_uses_it() {
        let sequence = table(5);
        let mut edges = vec![
            (sequence, table(1), 'a'),
            (default(6), table(1), 'a'),
            (default(6), sequence, 'n'),
        ];
        let fallen = fall(&edges, &[sequence], table(1));
        assert_eq!(fallen.causes[&sequence], Cause::PartOf(table(1)));
        assert!(fallen.disowned.is_empty());
        edges.extend([(default(7), table(2), 'a'), (default(7), sequence, 'n')]);
        let fallen = fall(&edges, &[sequence], table(1));
        assert!(!fallen.causes.contains_key(&sequence));
        assert_eq!(fallen.disowned, [sequence]);
        assert!(!fallen.causes.contains_key(&default(7)));
    }

    #[test]
    fn an_index_takes_its_constraint_and_the_keys_that_need_it() {
        let (primary, foreign) = (Object::new(PG_CONSTRAINT, 8), Object::new(PG_CONSTRAINT, 9));
        let edges = [
            (primary, table(1), 'a'),
            (table(4), primary, 'i'),
            (foreign, table(2), 'a'),
            (foreign, table(4), 'n'),
        ];
        let fallen = fall(&edges, &[], table(4));
        assert!(fallen.causes.contains_key(&primary) && fallen.causes.contains_key(&foreign));
        assert!(!fallen.causes.contains_key(&table(1)));
    }

    #[test]
    fn extensions_and_their_members_stay() {
        let (schema, extension) = (Object::new(PG_NAMESPACE, 3), Object::new(PG_EXTENSION, 4));
        let citext = Object::new(1247, 5);
        let edges = [
            (extension, schema, 'n'),
            (citext, schema, 'n'),
            (citext, extension, 'e'),
            (table(1), citext, 'n'),
        ];
        assert_eq!(fall(&edges, &[], schema).causes.len(), 1);
        assert_eq!(fall(&edges, &[], extension).causes.len(), 1);
    }
}
