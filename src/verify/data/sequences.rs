//! Where sequences stand. They know no snapshots: it is the moment of the question that counts.

use std::collections::BTreeMap;

use crate::base::{QualifiedName, Side};
use crate::catalog::discovery;
use crate::catalog::filters::Selection;
use crate::catalog::restore_list::Objects;
use crate::pg::{Error, Session};

use super::outcome::SequenceDifference;
use super::unit::Scope;

type Positions = BTreeMap<QualifiedName, (i64, bool)>;

async fn positions(session: &Session, left_out: &Selection) -> Result<Positions, Error> {
    let objects = left_out.left_out().iter();
    let objects: Objects = objects
        .map(|object| (object.catalog_oid, object.object_oid))
        .collect();
    let sequences = discovery::sequences(session, &objects).await?;
    let position =
        |sequence: discovery::Sequence| (sequence.name, (sequence.last_value, sequence.is_called));
    Ok(sequences.into_iter().map(position).collect())
}

/// How many there are on both sides together, and those that stand elsewhere.
///
/// # Errors
/// The side that failed, and how.
pub(super) async fn compare(
    source: &Session,
    target: &Session,
    scope: &Scope,
) -> Result<(usize, Vec<SequenceDifference>), (Side, Error)> {
    let failed = |side| move |error| (side, error);
    let all = Selection::default();
    let on_source = positions(source, &scope.source)
        .await
        .map_err(failed(Side::Source))?;
    let everything = match scope.source.left_out() {
        [] => on_source.clone(),
        _ => positions(source, &all)
            .await
            .map_err(failed(Side::Source))?,
    };
    let mut on_target = positions(target, &scope.target)
        .await
        .map_err(failed(Side::Target))?;
    // What is left out on the source is left out.
    on_target.retain(|name, _| on_source.contains_key(name) || !everything.contains_key(name));
    Ok((on_source.len(), differences(&on_source, &on_target)))
}

fn differences(source: &Positions, target: &Positions) -> Vec<SequenceDifference> {
    let only_target = target.keys().filter(|name| !source.contains_key(name));
    let names = source.keys().chain(only_target);
    let difference = |name: &QualifiedName| SequenceDifference {
        name: name.clone(),
        source: source.get(name).copied(),
        target: target.get(name).copied(),
    };
    let mut differences: Vec<_> = names
        .map(difference)
        .filter(|found| found.source != found.target)
        .collect();
    differences.sort_by(|left, right| left.name.cmp(&right.name));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_of_one_side_or_that_was_never_called_differs() {
        let name = |name: &str| QualifiedName::new("s", name);
        let source = Positions::from([
            (name("a"), (1, true)),
            (name("b"), (1, false)),
            (name("c"), (5, true)),
        ]);
        let target = Positions::from([
            (name("b"), (1, true)),
            (name("c"), (5, true)),
            (name("d"), (1, true)),
        ]);
        let found = differences(&source, &target);
        let names: Vec<_> = found.iter().map(|found| found.name.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(found[2].source, None);
    }
}
