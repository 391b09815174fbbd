//! When to prefetch, catch up, settle and replay live: decided here, without I/O.

use crate::worker::child::Exit;

/// Where streaming stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Receive and transform run; nothing may be applied yet.
    Prefetching,
    /// The same, and apply replays from disk.
    CatchingUp,
    /// All that run are stopping: on the way to live replay, or back to prefetching.
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

/// How far the stages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Prefetch, catch up, replay live, for as long as it takes.
    Follow,
    /// Prefetch only, whatever the sentinel says.
    Prefetch,
    /// Apply what is on this disk, and no more.
    Catchup,
    /// As [`Mode::Follow`], with one catch-up from disk before anything is received.
    Replay,
}

impl Mode {
    /// Where it begins.
    pub fn first(self) -> Stage {
        match self {
            Mode::Follow | Mode::Prefetch => Stage::Prefetching,
            Mode::Catchup | Mode::Replay => Stage::SettlingTransform,
        }
    }

    /// Where it begins again after a failure. Receive comes first: the source's WAL waits for it.
    pub fn first_again(self) -> Stage {
        match self {
            Mode::Catchup => Stage::SettlingTransform,
            Mode::Follow | Mode::Prefetch | Mode::Replay => Stage::Prefetching,
        }
    }
}

/// What the decision is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The sentinel lets apply go on.
    pub apply_enabled: bool,
    /// The target has reached endpos.
    pub endpos_reached: bool,
    /// Everything up to endpos is on this disk.
    pub endpos_received: bool,
    /// Some child still runs.
    pub running: bool,
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
/// SIGTERM.
const ASKED: Exit = Exit::Signal(15);

/// The exit code of a child that has failed, if starting it again does not help.
pub fn lasting(exit: Exit) -> Option<i32> {
    match exit {
        DONE | Exit::Code(TRANSIENT | 8 | 9) | Exit::Signal(_) => None,
        Exit::Code(code) => Some(code),
    }
}

impl Stage {
    /// The decision in this stage.
    pub fn decide(self, mode: Mode, facts: &Facts) -> Decision {
        if facts.endpos_reached && facts.apply == Some(DONE) {
            return Decision::Enter(Stage::Finished);
        }
        if let Some(failure) = self.failure(facts) {
            return failure;
        }
        let is_received = facts.receive == Some(DONE) && facts.endpos_received;
        let applies = facts.apply_enabled && mode != Mode::Prefetch;
        match self {
            Stage::Prefetching if applies => Decision::Enter(Stage::CatchingUp),
            Stage::Prefetching
                if mode == Mode::Prefetch && is_received && facts.transform == Some(DONE) =>
            {
                Decision::Enter(Stage::Finished)
            }
            // The end that it had reached was moved on.
            Stage::Prefetching
                if facts.receive == Some(DONE)
                    && !facts.endpos_received
                    && !facts.endpos_reached =>
            {
                Decision::Enter(Stage::Quieting)
            }
            Stage::CatchingUp if facts.apply.is_some() => Decision::Enter(Stage::Quieting),
            Stage::Quieting if !facts.running && applies => {
                Decision::Enter(Stage::SettlingTransform)
            }
            Stage::Quieting if !facts.running => Decision::Enter(Stage::Prefetching),
            Stage::SettlingTransform if facts.transform.is_some() => {
                Decision::Enter(Stage::SettlingApply)
            }
            Stage::SettlingApply if facts.apply.is_some() => Decision::Enter(match mode {
                Mode::Catchup => Stage::Finished,
                _ => Stage::Replaying,
            }),
            // Apply waits for the operator's word, and receive must not wait with it.
            Stage::SettlingTransform | Stage::SettlingApply
                if mode != Mode::Catchup && !applies =>
            {
                Decision::Enter(Stage::Quieting)
            }
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
            // While they are being stopped, "stopped by a signal" is what was asked for; one that
            // has just been started ends by the signal itself.
            Exit::Code(9) | ASKED => self != Stage::Quieting,
            _ => true,
        };
        let failed = children
            .into_iter()
            .filter_map(|(role, exit)| Some((role, exit?)))
            .filter(|(_, exit)| bad(*exit));
        let failed: Vec<_> = failed.collect();
        let mut lasting = failed
            .iter()
            .filter_map(|(role, exit)| Some((*role, lasting(*exit)?)));
        match (lasting.next(), failed.first()) {
            (Some((role, code)), _) => Some(Decision::Fail { role, code }),
            (None, Some(&(role, exit))) => Some(Decision::StartOver { role, exit }),
            (None, None) => None,
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
                    running: true,
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
            assert_eq!(
                stage.decide(Mode::Follow, &facts),
                decision,
                "{stage:?} {facts:?}"
            );
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
            assert_eq!(
                stage.decide(Mode::Follow, &facts),
                Decision::Enter(Stage::Finished)
            );
            let not_yet = Facts {
                apply: None,
                apply_enabled: true,
                ..facts
            };
            assert_eq!(stage.decide(Mode::Follow, &not_yet), Decision::Stay);
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
        assert_eq!(
            Stage::CatchingUp.decide(Mode::Follow, &facts),
            Decision::Stay
        );
    }

    #[test]
    fn a_killed_child_starts_over_and_a_lasting_error_gives_up() {
        let killed = Facts {
            transform: Some(Exit::Signal(9)),
            ..Facts::default()
        };
        assert_eq!(
            Stage::Replaying.decide(Mode::Follow, &killed),
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
            Stage::Replaying.decide(Mode::Follow, &both),
            Decision::Fail {
                role: "apply",
                code: 7
            }
        );
    }

    #[test]
    fn a_child_that_is_stopped_before_it_listens_has_stopped_as_asked() {
        let stopped = Facts {
            apply_enabled: true,
            receive: Some(Exit::Signal(15)),
            transform: Some(Exit::Code(9)),
            ..Facts::default()
        };
        let decision = Stage::Quieting.decide(Mode::Follow, &stopped);
        assert_eq!(decision, Decision::Enter(Stage::SettlingTransform));
        let by_somebody = Stage::Replaying.decide(Mode::Follow, &stopped);
        assert!(matches!(by_somebody, Decision::StartOver { .. }));
    }

    #[test]
    fn prefetching_alone_ends_when_everything_is_on_disk_and_applies_nothing() {
        let decide = |facts: &Facts| Stage::Prefetching.decide(Mode::Prefetch, facts);
        let received = Facts {
            apply_enabled: true,
            endpos_received: true,
            receive: ENDED,
            running: true,
            ..Facts::default()
        };
        assert_eq!(decide(&received), Decision::Stay);
        let transformed = Facts {
            transform: ENDED,
            running: false,
            ..received
        };
        assert_eq!(decide(&transformed), Decision::Enter(Stage::Finished));
    }

    #[test]
    fn an_end_that_is_moved_on_after_receive_has_reached_it_begins_again() {
        let moved = Facts {
            receive: ENDED,
            running: true,
            ..Facts::default()
        };
        for mode in [Mode::Prefetch, Mode::Follow] {
            let decision = Stage::Prefetching.decide(mode, &moved);
            assert_eq!(decision, Decision::Enter(Stage::Quieting));
        }
        let quiet = Facts {
            running: false,
            ..moved
        };
        let decision = Stage::Quieting.decide(Mode::Prefetch, &quiet);
        assert_eq!(decision, Decision::Enter(Stage::Prefetching));
    }

    #[test]
    fn catching_up_alone_ends_with_the_disk() {
        let facts = Facts {
            apply_enabled: true,
            apply: ENDED,
            ..Facts::default()
        };
        let decision = Stage::SettlingApply.decide(Mode::Catchup, &facts);
        assert_eq!(decision, Decision::Enter(Stage::Finished));
    }

    #[test]
    fn apply_that_is_held_back_before_live_replay_does_not_hold_receive_back() {
        let held = Facts {
            running: true,
            ..Facts::default()
        };
        for stage in [Stage::SettlingTransform, Stage::SettlingApply] {
            let decision = stage.decide(Mode::Follow, &held);
            assert_eq!(decision, Decision::Enter(Stage::Quieting));
            assert_eq!(stage.decide(Mode::Catchup, &held), Decision::Stay);
        }
        let quiet = Facts {
            apply: Some(Exit::Code(9)),
            ..Facts::default()
        };
        let decision = Stage::Quieting.decide(Mode::Follow, &quiet);
        assert_eq!(decision, Decision::Enter(Stage::Prefetching));
    }
}
