//! What a run is doing, in a few words.

use serde::{Serialize, Serializer};

use crate::store::{COMPARE_STEP, FOLLOWING_STEP, LARGE_OBJECTS_STEP, StepTimes};

/// The steps that are worked on at the same time.
const TOGETHER: [&str; 3] = ["rows", "indexes", LARGE_OBJECTS_STEP];

/// What a run is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has begun.
    Starting,
    /// A step of the copy, by its name.
    Step(String),
    /// Between two steps, or after the last.
    BetweenSteps,
    /// The copy is done; changes are applied.
    Following,
    /// Everything is done.
    Finished,
}

impl Stage {
    /// What the last of `steps`, which are in the order in which they were begun, says.
    pub fn of_steps(steps: &[StepTimes]) -> Self {
        let is_open = |step: &StepTimes| step.finished_at.is_none();
        match steps.last() {
            None => Stage::Starting,
            // Begun together: what takes longest is said first.
            Some(last) if last.name == TOGETHER[1] => {
                let open = TOGETHER
                    .into_iter()
                    .find(|name| steps.iter().any(|step| step.name == *name && is_open(step)));
                open.map_or(Stage::BetweenSteps, |name| Stage::Step(name.to_owned()))
            }
            Some(last) if is_open(last) && last.name == FOLLOWING_STEP => Stage::Following,
            Some(last) if is_open(last) => Stage::Step(last.name.clone()),
            Some(_) => Stage::BetweenSteps,
        }
    }

    /// Whether nothing is moved: both servers are only looked at.
    pub(super) fn compares(&self) -> bool {
        matches!(self, Stage::Step(name) if name == COMPARE_STEP)
    }

    /// Whether rows or indexes are what is being worked on.
    pub(super) fn moves(&self) -> bool {
        matches!(self, Stage::Step(name) if name == "rows" || name == "indexes" || name == COMPARE_STEP)
    }

    /// For people.
    pub fn words(&self) -> &str {
        match self {
            Stage::Starting => "starting",
            Stage::Step(name) => match name.as_str() {
                "catalog" => "reading the catalog",
                "pre-data" => "making tables",
                "rows" => "copying rows",
                "indexes" => "building indexes",
                COMPARE_STEP => "comparing rows",
                "post-data" => "making the rest of the schema",
                "foreign-keys" => "adding foreign keys",
                LARGE_OBJECTS_STEP => "copying large objects",
                "matviews" => "refreshing materialized views",
                "roles" => "making roles",
                "drop" => "dropping what is in the way",
                "last" => "making the last of the schema",
                other => other,
            },
            Stage::BetweenSteps => "finishing",
            Stage::Following => "following",
            Stage::Finished => "finished",
        }
    }
}

impl Serialize for Stage {
    /// The name of the step, for programs.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Stage::Step(name) => name,
            other => other.words(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, is_finished: bool) -> StepTimes {
        StepTimes {
            name: name.to_owned(),
            begun_at: 0.0,
            finished_at: is_finished.then_some(1.0),
        }
    }

    #[test]
    fn rows_come_before_the_indexes_that_were_begun_with_them() {
        let stage = |rows, indexes| {
            let steps = [
                step("pre-data", true),
                step("rows", rows),
                step("indexes", indexes),
            ];
            Stage::of_steps(&steps).words().to_owned()
        };
        assert_eq!(stage(false, false), "copying rows");
        assert_eq!(stage(true, false), "building indexes");
        assert_eq!(stage(true, true), "finishing");
    }

    #[test]
    fn a_step_that_a_killed_run_could_not_finish_is_not_the_current_one() {
        let steps = [step("pre-data", false), step("rows", true)];
        assert_eq!(Stage::of_steps(&steps), Stage::BetweenSteps);
        assert_eq!(Stage::of_steps(&[]), Stage::Starting);
    }
}
