//! What the filters say themselves, before anything falls with it.

use std::collections::{HashMap, HashSet};

use crate::store::RowsLeftOut;

use super::dependents::{Object, PG_CLASS, PG_EVENT_TRIGGER, PG_EXTENSION, PG_NAMESPACE};
use super::entry::{Entry, Section};
use super::facts::{Facts, Relation};
use super::matching::Matches;
use super::parse::Filters;

/// What the filters say themselves.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    pub(super) objects: Vec<(Object, String)>,
    pub(super) rows: HashMap<u32, RowsLeftOut>,
    /// Schemas that are emptied and stay.
    pub(super) hollow: HashSet<u32>,
}

struct Reading<'a> {
    filters: &'a Filters,
    matches: &'a Matches,
    facts: &'a Facts,
    heirs: HashMap<u32, Vec<u32>>,
    parents: HashMap<u32, Vec<u32>>,
}

impl Seeds {
    pub(super) fn of(filters: &Filters, matches: &Matches, facts: &Facts) -> Self {
        let mut heirs: HashMap<_, Vec<_>> = HashMap::new();
        let mut parents: HashMap<_, Vec<_>> = HashMap::new();
        for child in &facts.children {
            heirs.entry(child.parent).or_default().push(child.child);
            parents.entry(child.child).or_default().push(child.parent);
        }
        let reading = Reading {
            filters,
            matches,
            facts,
            heirs,
            parents,
        };
        let mut seeds = Seeds::default();
        seeds.add_extensions(&reading);
        seeds.add_schemas(&reading);
        seeds.add_tables(&reading);
        for section in [Section::ExcludeIndex, Section::ExcludeTable] {
            seeds.add(&reading, section, PG_CLASS);
        }
        seeds.add(&reading, Section::ExcludeEventTrigger, PG_EVENT_TRIGGER);
        seeds.add_rows(&reading);
        seeds
    }

    /// What the entries of an excluding section match.
    fn add(&mut self, reading: &Reading<'_>, section: Section, catalog: u32) {
        for (entry, oid) in reading.of(section) {
            let reason = format!("[{}] {entry}", section.name());
            self.objects.push((Object::new(catalog, oid), reason));
        }
    }

    fn leave_out_rest(&mut self, section: Section, catalog: u32, rest: impl Iterator<Item = u32>) {
        let reason = format!("not in [{}]", section.name());
        let objects = rest.map(|oid| (Object::new(catalog, oid), reason.clone()));
        self.objects.extend(objects);
    }

    fn add_extensions(&mut self, reading: &Reading<'_>) {
        const ONLY: Section = Section::IncludeOnlyExtension;
        self.add(reading, Section::ExcludeExtension, PG_EXTENSION);
        if reading.filters.has(ONLY) {
            let included = reading.oids(ONLY);
            let all = reading.facts.extensions.iter().map(|(oid, _, _)| *oid);
            let rest = all.filter(|oid| !included.contains(oid));
            self.leave_out_rest(ONLY, PG_EXTENSION, rest);
        }
    }

    fn add_schemas(&mut self, reading: &Reading<'_>) {
        const ONLY: Section = Section::IncludeOnlySchema;
        self.add(reading, Section::ExcludeSchema, PG_NAMESPACE);
        if reading.filters.has(ONLY) {
            let included = reading.oids(ONLY);
            let all = reading.facts.schemas.keys().copied();
            let rest = all.filter(|oid| !included.contains(oid));
            self.leave_out_rest(ONLY, PG_NAMESPACE, rest);
        }
        let gone: HashSet<_> = self.objects.iter().map(|(object, _)| *object).collect();
        let extensions = reading.facts.extensions.iter();
        let staying =
            extensions.filter(|(oid, _, _)| !gone.contains(&Object::new(PG_EXTENSION, *oid)));
        self.hollow = staying.map(|(_, _, schema)| *schema).collect();
    }

    fn add_tables(&mut self, reading: &Reading<'_>) {
        const ONLY: Section = Section::IncludeOnlyTable;
        if !reading.filters.has(ONLY) {
            return;
        }
        let named = reading.oids(ONLY);
        let included = reach(&named, &reading.heirs);
        let parents = reach(&included, &reading.parents);
        let tables = reading.facts.relations.iter();
        let tables = tables.filter(|(_, relation)| relation.is_like_a_table());
        let rest = tables
            .map(|(oid, _)| *oid)
            .filter(|oid| !parents.contains(oid));
        self.leave_out_rest(ONLY, PG_CLASS, rest);
        for oid in parents.difference(&included) {
            // A partitioned table has no rows to leave out.
            if reading
                .facts
                .relations
                .get(oid)
                .is_none_or(|relation| relation.kind == 'p')
            {
                continue;
            }
            self.leave_rows_out(
                reading,
                *oid,
                format!("parent of a table in [{}]", ONLY.name()),
            );
        }
    }

    fn leave_rows_out(&mut self, reading: &Reading<'_>, oid: u32, reason: String) {
        if let Some(Relation { name, .. }) = reading.facts.relations.get(&oid) {
            let name = name.clone();
            self.rows
                .entry(oid)
                .or_insert(RowsLeftOut { oid, name, reason });
        }
    }

    fn add_rows(&mut self, reading: &Reading<'_>) {
        const SECTION: Section = Section::ExcludeTableData;
        for (entry, oid) in reading.of(SECTION) {
            for heir in reach(&HashSet::from([oid]), &reading.heirs) {
                let reason = format!("[{}] {entry}", SECTION.name());
                self.leave_rows_out(reading, heir, reason);
            }
        }
    }
}

impl<'a> Reading<'a> {
    /// The entries of `section`, with what each matches.
    fn of(&self, section: Section) -> impl Iterator<Item = (&'a Entry, u32)> + use<'a> {
        let (filters, matches) = (self.filters, self.matches);
        matches.iter().filter_map(move |(place, oid)| {
            let entry = filters.entries.get(*place)?;
            (entry.section == section).then_some((entry, *oid))
        })
    }

    fn oids(&self, section: Section) -> HashSet<u32> {
        self.of(section).map(|(_, oid)| oid).collect()
    }
}

/// `from`, and what is reached from there.
pub(super) fn reach(from: &HashSet<u32>, next: &HashMap<u32, Vec<u32>>) -> HashSet<u32> {
    let mut reached = from.clone();
    let mut queue: Vec<_> = from.iter().copied().collect();
    while let Some(oid) = queue.pop() {
        for oid in next.get(&oid).into_iter().flatten() {
            if reached.insert(*oid) {
                queue.push(*oid);
            }
        }
    }
    reached
}
