//! When to prefetch, catch up, settle and replay live: decided here, without I/O.

use crate::worker::child::Exit;

/// Where streaming stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Receive and transform run; nothing may be applied yet.
    Prefetching,
    /// The same, and apply replays from disk.
    CatchingUp,
    /// On the way to live replay: receive and transform are stopping.
    Quieting,
    /// Nothing else runs: transform makes the last SQL.
    SettlingTransform,
    /// Nothing else runs: apply takes the last SQL.
    SettlingApply,
    /// Receive, transform and apply are connected by pipes.
    Replaying,
    /// Everything up to endpos is on the target.
    Finished,
}

/// What the decision is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The sentinel lets apply go on.
    pub apply_enabled: bool,
    /// The target has reached endpos.
    pub endpos_reached: bool,
    /// How each child ended, if it has ended in this stage.
    pub receive: Option<Exit>,
    /// See above.
    pub transform: Option<Exit>,
    /// See above.
    pub apply: Option<Exit>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Stay,
    /// Go to this stage.
    Enter(Stage),
    /// Stop all children, wait a while, begin again.
    StartOver {
        /// Who failed first.
        role: &'static str,
        /// How.
        exit: Exit,
    },
    /// Give up: the cause is not transient.
    Fail {
        /// Who failed.
        role: &'static str,
        /// Its exit code.
        code: i32,
    },
}

/// A child's exit code when the cause is transient: EX_TEMPFAIL of `sysexits.h`. Only between
/// pgflit and its children.
pub const TRANSIENT: i32 = 75;

const DONE: Exit = Exit::Code(0);

impl Stage {
    /// The decision in this stage.
    pub fn decide(self, facts: &Facts) -> Decision {
        if facts.endpos_reached && facts.apply == Some(DONE) {
            return Decision::Enter(Stage::Finished);
        }
        if let Some(failure) = self.failure(facts) {
            return failure;
        }
        match self {
            Stage::Prefetching if facts.apply_enabled => Decision::Enter(Stage::CatchingUp),
            Stage::CatchingUp if facts.apply.is_some() => Decision::Enter(Stage::Quieting),
            Stage::Quieting if facts.receive.is_some() && facts.transform.is_some() => {
                Decision::Enter(Stage::SettlingTransform)
            }
            Stage::SettlingTransform if facts.transform.is_some() => {
                Decision::Enter(Stage::SettlingApply)
            }
            Stage::SettlingApply if facts.apply.is_some() => Decision::Enter(Stage::Replaying),
            // The pipe has ended and everything in it is applied.
            Stage::Replaying if facts.apply.is_some() && facts.transform.is_some() => {
                Decision::Enter(Stage::CatchingUp)
            }
            _ => Decision::Stay,
        }
    }

    /// What a child's bad end asks for.
    fn failure(self, facts: &Facts) -> Option<Decision> {
        let children = [
            ("apply", facts.apply),
            ("receive", facts.receive),
            ("transform", facts.transform),
        ];
        let bad = |exit: Exit| match exit {
            DONE => false,
            // While they are being stopped, "stopped by a signal" is what was asked for.
            Exit::Code(9) => self != Stage::Quieting,
            _ => true,
        };
        let failed = children
            .into_iter()
            .filter_map(|(role, exit)| Some((role, exit?)))
            .filter(|(_, exit)| bad(*exit));
        let transient =
            |exit: Exit| matches!(exit, Exit::Code(TRANSIENT | 8 | 9) | Exit::Signal(_));
        let (lasting, passing): (Vec<_>, Vec<_>) = failed.partition(|(_, exit)| !transient(*exit));
        match (lasting.first(), passing.first()) {
            (Some(&(role, Exit::Code(code))), _) => Some(Decision::Fail { role, code }),
            (_, Some(&(role, exit))) => Some(Decision::StartOver { role, exit }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDED: Option<Exit> = Some(DONE);

    #[test]
    fn the_way_to_live_replay_and_back() {
        let nothing = Facts::default();
        let enabled = Facts {
            apply_enabled: true,
            ..nothing
        };
        let enter = Decision::Enter;
        for (stage, facts, decision) in [
            (Stage::Prefetching, nothing, Decision::Stay),
            (Stage::Prefetching, enabled, enter(Stage::CatchingUp)),
            (Stage::CatchingUp, enabled, Decision::Stay),
            (
                Stage::CatchingUp,
                Facts {
                    apply: ENDED,
                    ..enabled
                },
                enter(Stage::Quieting),
            ),
            (
                Stage::Quieting,
                Facts {
                    receive: ENDED,
                    ..enabled
                },
                Decision::Stay,
            ),
            (
                Stage::Quieting,
                Facts {
                    receive: Some(Exit::Code(9)),
                    transform: Some(Exit::Code(9)),
                    ..enabled
                },
                enter(Stage::SettlingTransform),
            ),
            (
                Stage::SettlingTransform,
                Facts {
                    transform: ENDED,
                    ..enabled
                },
                enter(Stage::SettlingApply),
            ),
            (
                Stage::SettlingApply,
                Facts {
                    apply: ENDED,
                    ..enabled
                },
                enter(Stage::Replaying),
            ),
            (
                Stage::Replaying,
                Facts {
                    transform: ENDED,
                    ..enabled
                },
                Decision::Stay,
            ),
            (
                Stage::Replaying,
                Facts {
                    transform: ENDED,
                    apply: ENDED,
                    ..enabled
                },
                enter(Stage::CatchingUp),
            ),
        ] {
            assert_eq!(stage.decide(&facts), decision, "{stage:?} {facts:?}");
        }
    }

    #[test]
    fn endpos_ends_every_stage_once_apply_has_ended_well() {
        for stage in [Stage::CatchingUp, Stage::SettlingApply, Stage::Replaying] {
            let facts = Facts {
                endpos_reached: true,
                apply: ENDED,
                ..Facts::default()
            };
            assert_eq!(stage.decide(&facts), Decision::Enter(Stage::Finished));
            let not_yet = Facts {
                apply: None,
                ..facts
            };
            assert_eq!(stage.decide(&not_yet), Decision::Stay);
        }
    }

    #[test]
    fn receive_at_endpos_waits_for_the_others() {
        let facts = Facts {
            apply_enabled: true,
            receive: ENDED,
            transform: ENDED,
            ..Facts::default()
        };
        assert_eq!(Stage::CatchingUp.decide(&facts), Decision::Stay);
    }

    #[test]
    fn a_killed_child_starts_over_and_a_lasting_error_gives_up() {
        let killed = Facts {
            transform: Some(Exit::Signal(9)),
            ..Facts::default()
        };
        assert_eq!(
            Stage::Replaying.decide(&killed),
            Decision::StartOver {
                role: "transform",
                exit: Exit::Signal(9)
            }
        );
        let both = Facts {
            apply: Some(Exit::Code(7)),
            receive: Some(Exit::Code(TRANSIENT)),
            ..killed
        };
        assert_eq!(
            Stage::Replaying.decide(&both),
            Decision::Fail {
                role: "apply",
                code: 7
            }
        );
    }
}
