//! What is left to copy of a table, decided from the ledger.

use crate::catalog::ledger::Part;
use crate::store::PartRow;

/// What is left of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing: it is on the target.
    Nothing,
    /// All of it, as one.
    Whole,
    /// All of its parts. What is on the target is taken away first.
    AllParts,
    /// These parts, by number.
    Parts(Vec<u32>),
}

/// What is left of a table that was planned to be copied in `planned` parts (none: as one), of
/// which `done` are on the target. Parts of several moments are put together where the stream tells
/// of every change which part it concerns; elsewhere only where that was asked for, and where the
/// parts mean the same rows at every moment.
pub(super) fn left(planned: &[PartRow], done: &[Part], several_moments: bool) -> Left {
    let count = planned.len().max(1);
    if done.len() == count {
        return Left::Nothing;
    }
    if planned.is_empty() {
        return Left::Whole;
    }
    let may_go_on = match several_moments {
        true => planned.iter().all(|part| part.by_key),
        false => planned.iter().all(|part| part.range.is_some()),
    };
    if done.is_empty() || !may_go_on {
        return Left::AllParts;
    }
    let missing = planned.iter().map(|part| part.number);
    let missing = missing.filter(|number| !done.iter().any(|part| part.number == *number));
    Left::Parts(missing.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{KeyRange, QualifiedName};

    fn planned(count: u32, by_key: bool) -> Vec<PartRow> {
        let part = |number| PartRow {
            table_oid: 1,
            number,
            condition: "true".into(),
            by_key,
            bytes: 0,
            range: None,
        };
        (0..count).map(part).collect()
    }

    fn done(numbers: &[u32], count: u32) -> Vec<Part> {
        let part = |number: &u32| Part {
            table: QualifiedName::new("public", "t"),
            number: *number,
            count,
            epoch: 1,
            range: None,
            visibility: "1:1:".parse().expect("a snapshot"),
            convergence: crate::base::Lsn::default(),
            rows: 0,
            bytes: 0,
        };
        numbers.iter().map(part).collect()
    }

    #[test]
    fn a_whole_table_is_there_or_not() {
        assert_eq!(left(&[], &done(&[0], 1), false), Left::Nothing);
        assert_eq!(left(&[], &[], true), Left::Whole);
    }

    #[test]
    fn parts_of_several_moments_are_put_together_only_where_that_was_asked_for() {
        let two_of_three = done(&[0, 2], 3);
        assert_eq!(
            left(&planned(3, true), &two_of_three, true),
            Left::Parts(vec![1])
        );
        assert_eq!(
            left(&planned(3, true), &two_of_three, false),
            Left::AllParts
        );
        assert_eq!(
            left(&planned(3, false), &two_of_three, true),
            Left::AllParts
        );
        assert_eq!(left(&planned(3, true), &[], true), Left::AllParts);
        let mut told = planned(3, true);
        for part in &mut told {
            part.range = Some(KeyRange {
                column: "id".into(),
                type_name: "bigint".into(),
                lower: None,
                upper: Some("7".into()),
                only: None,
            });
        }
        assert_eq!(left(&told, &two_of_three, false), Left::Parts(vec![1]));
        assert_eq!(
            left(&planned(3, false), &done(&[0, 1, 2], 3), false),
            Left::Nothing
        );
    }
}
