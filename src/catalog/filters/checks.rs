//! What filters must not say, as far as only the source can tell.

use std::collections::HashSet;

use super::dependents::{Cause, Fallen, Graph, Object, PG_ATTRDEF, PG_CLASS};
use super::entry::{Entry, Section};
use super::error::FilterError;
use super::facts::{Facts, Relation};
use super::matching::Matches;
use super::parse::Filters;
use super::selection::Strictness;

/// Entries that match nothing, in words.
///
/// # Errors
/// One of them is to be included, by name.
pub(super) fn unmatched(
    filters: &Filters,
    matches: &Matches,
    strictness: Strictness,
) -> Result<Vec<String>, FilterError> {
    let matched: HashSet<_> = matches.iter().map(|(place, _)| *place).collect();
    let mut notices = Vec::new();
    for (place, entry) in filters.entries.iter().enumerate() {
        if matched.contains(&place) {
            continue;
        }
        let Entry { section, line, .. } = entry;
        let (name, object) = (section.name(), section.object());
        let problem = format!("[{name}]: the source has no {object} {entry}");
        if section.includes() && entry.is_exact() && strictness == Strictness::Begin {
            return Err(filters.wrong(entry, problem));
        }
        notices.push(format!("{}, line {line}: {problem}", filters.file));
    }
    Ok(notices)
}

/// What is kept and cannot be made, with what it needs and is left out: a table that nobody has
/// asked to leave out, or one whose definition names such a thing.
pub(super) fn needed(facts: &Facts, graph: &Graph, fallen: &Fallen) -> Option<(Object, Object)> {
    let is_table = |object: &Object| {
        object.catalog == PG_CLASS
            && facts
                .relations
                .get(&object.oid)
                .is_some_and(Relation::is_table)
    };
    let found = fallen.causes.iter().filter_map(|(object, cause)| {
        let Cause::Needs(lost) = cause else {
            return None;
        };
        // A table that needs a table is its heir, and falls with it.
        if is_table(object) && !is_table(lost) {
            return Some((*object, *lost));
        }
        if object.catalog != PG_ATTRDEF && !facts.inline.contains(object) {
            return None;
        }
        let whole = graph.of(*object).find(|edge| edge.kind == 'a')?.on;
        (!fallen.causes.contains_key(&whole)).then_some((whole, *lost))
    });
    found.min()
}

/// Refuses to include by name what another section leaves out.
pub(super) fn included(
    filters: &Filters,
    matches: &Matches,
    facts: &Facts,
    fallen: &Fallen,
) -> Result<(), FilterError> {
    for (place, oid) in matches {
        let Some(entry) = filters.entries.get(*place) else {
            continue;
        };
        let object = Object::new(PG_CLASS, *oid);
        let is_named = entry.section == Section::IncludeOnlyTable && entry.is_exact();
        let Some(cause) = fallen.causes.get(&object).filter(|_| is_named) else {
            continue;
        };
        let why = match cause {
            Cause::Filter(reason) => reason.clone(),
            Cause::PartOf(other) => match (facts.schemas.get(&other.oid), fallen.causes.get(other))
            {
                (Some(schema), Some(Cause::Filter(reason))) => {
                    format!("schema \"{schema}\", {reason}")
                }
                _ => continue,
            },
            Cause::Needs(_) => continue,
        };
        let problem = format!("{entry} is included here, and left out with {why}");
        return Err(filters.wrong(entry, problem));
    }
    Ok(())
}
