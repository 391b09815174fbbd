//! Which parts are still to be counted, and what the counted ones add up to.
//!
//! Decides without I/O. A table whose rows are too long for the text of a record begins anew in the wide
//! form, on both sides: answers to questions asked before that are of no use, which is told by the round
//! that they were asked in.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use crate::base::Side;

use super::digest::{Digest, Form};
use super::unit::index;

/// A part of a table of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Which of the unit's tables on that side.
    pub(super) relation: usize,
    /// SQL: which of its rows; none for all.
    pub(super) condition: Option<String>,
    /// Its size.
    pub(super) bytes: u64,
}

/// A part that is to be counted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// Of which unit.
    pub(super) unit: usize,
    /// Which part of it.
    pub(super) part: Part,
    /// Whether values are hashed one by one.
    pub(super) wide: bool,
    round: u32,
}

/// How one unit has come out.
#[derive(Debug)]
pub(super) enum Counted<E> {
    /// Both sides are counted, in this form.
    Both([Digest; 2], Form),
    /// One could not be.
    Failed(Side, E),
}

#[derive(Debug, Default)]
struct State {
    parts: [Vec<Part>; 2],
    left: [usize; 2],
    sums: [Digest; 2],
    wide: bool,
    round: u32,
    is_over: bool,
}

/// All units.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<(Vec<State>, [VecDeque<Task>; 2])>,
    converted: bool,
}

impl Board {
    /// With `parts` of each unit and side, in the order in which units are to be counted.
    pub(super) fn new(parts: Vec<[Vec<Part>; 2]>, converted: bool) -> Self {
        let mut queues = [VecDeque::new(), VecDeque::new()];
        let units = (0..).zip(parts).map(|(unit, parts)| {
            for side in [0, 1] {
                let tasks = parts[side].iter().map(|part| Task {
                    unit,
                    part: part.clone(),
                    wide: false,
                    round: 0,
                });
                queues[side].extend(tasks);
            }
            State {
                left: [parts[0].len(), parts[1].len()],
                parts,
                ..State::default()
            }
        });
        let units = units.collect();
        Self {
            state: Mutex::new((units, queues)),
            converted,
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<State>, [VecDeque<Task>; 2])> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The form of questions in a task.
    pub(super) fn form(&self, task: &Task) -> Form {
        Form {
            wide: task.wide,
            converted: self.converted,
        }
    }

    /// What to count next on `side`.
    pub(super) fn next(&self, side: Side) -> Option<Task> {
        let (units, queues) = &mut *self.lock();
        loop {
            let task = queues[index(side)].pop_front()?;
            let unit = &units[task.unit];
            if !unit.is_over && unit.round == task.round {
                return Some(task);
            }
        }
    }

    /// Whether everything is over.
    pub(super) fn is_done(&self) -> bool {
        self.lock().0.iter().all(|unit| unit.is_over)
    }

    /// The answer to a task. How its unit has come out, if that is known now.
    pub(super) fn counted<E>(&self, side: Side, task: &Task, digest: Digest) -> Option<Counted<E>> {
        let (units, _) = &mut *self.lock();
        let unit = &mut units[task.unit];
        if unit.is_over || unit.round != task.round {
            return None;
        }
        let at = index(side);
        unit.sums[at] = unit.sums[at].and(digest);
        unit.left[at] -= 1;
        if unit.left != [0, 0] {
            return None;
        }
        unit.is_over = true;
        let form = Form {
            wide: unit.wide,
            converted: self.converted,
        };
        Some(Counted::Both(unit.sums, form))
    }

    /// A row of it has no text: the unit begins anew, value by value. False if it did so before.
    pub(super) fn widen(&self, task: &Task) -> bool {
        let (units, queues) = &mut *self.lock();
        let unit = &mut units[task.unit];
        if task.wide {
            return false;
        }
        if unit.is_over || unit.round != task.round {
            return true;
        }
        *unit = State {
            left: unit.parts.each_ref().map(Vec::len),
            parts: std::mem::take(&mut unit.parts),
            wide: true,
            round: unit.round + 1,
            ..State::default()
        };
        for side in [0, 1] {
            for part in unit.parts[side].iter().rev() {
                queues[side].push_front(Task {
                    unit: task.unit,
                    part: part.clone(),
                    wide: true,
                    round: unit.round,
                });
            }
        }
        true
    }

    /// It cannot be counted on `side`. Told once a unit.
    pub(super) fn failed<E>(&self, side: Side, task: &Task, error: E) -> Option<Counted<E>> {
        let (units, _) = &mut *self.lock();
        let unit = &mut units[task.unit];
        if unit.is_over || unit.round != task.round {
            return None;
        }
        unit.is_over = true;
        Some(Counted::Failed(side, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: u64) -> Part {
        Part {
            relation: 0,
            condition: None,
            bytes,
        }
    }

    fn digest(rows: u64) -> Digest {
        Digest { rows, sums: [1, 2] }
    }

    #[test]
    fn a_table_is_known_when_the_last_part_of_both_sides_is() {
        let board = Board::new(vec![[vec![part(1), part(2)], vec![part(3)]]], false);
        let next = |side| board.next(side).expect("a task");
        let (one, two, other) = (next(Side::Source), next(Side::Source), next(Side::Target));
        assert_eq!(board.next(Side::Source), None);
        assert!(board.counted::<()>(Side::Source, &two, digest(5)).is_none());
        assert!(
            board
                .counted::<()>(Side::Target, &other, digest(7))
                .is_none()
        );
        match board.counted::<()>(Side::Source, &one, digest(2)) {
            Some(Counted::Both([source, target], form)) => {
                assert_eq!((source.rows, target.rows, form.wide), (7, 7, false));
                assert_eq!(source.sums, [2, 4]);
            }
            other => panic!("{other:?}"),
        }
        assert!(board.is_done());
    }

    #[test]
    fn a_table_that_begins_anew_forgets_what_was_asked_before() {
        let board = Board::new(vec![[vec![part(1)], vec![part(3)]]], false);
        let source = board.next(Side::Source).expect("a task");
        let target = board.next(Side::Target).expect("a task");
        assert!(
            board
                .counted::<()>(Side::Target, &target, digest(7))
                .is_none()
        );
        assert!(board.widen(&source));
        // The other side has noticed it too.
        assert!(board.widen(&target));
        let wide = board.next(Side::Source).expect("again");
        assert!(wide.wide);
        assert!(
            board
                .counted::<()>(Side::Source, &wide, digest(2))
                .is_none()
        );
        assert!(!board.is_done());
        let other = board.next(Side::Target).expect("again");
        match board.counted::<()>(Side::Target, &other, digest(2)) {
            Some(Counted::Both(sums, form)) => {
                assert_eq!(sums, [digest(2), digest(2)]);
                assert!(form.wide);
            }
            other => panic!("{other:?}"),
        }
        assert!(!board.widen(&other), "no form is wider");
    }

    #[test]
    fn a_table_that_cannot_be_read_is_told_once_and_its_other_parts_are_left() {
        let board = Board::new(vec![[vec![part(1), part(2)], vec![part(3)]]], false);
        let one = board.next(Side::Source).expect("a task");
        let two = board.next(Side::Source).expect("a task");
        assert!(board.failed(Side::Source, &one, "no").is_some());
        assert!(board.failed(Side::Source, &two, "no").is_none());
        assert_eq!(board.next(Side::Target), None);
        assert!(board.is_done());
    }
}
