//! A running `clone --follow`, in the words of the scenarios.

use crate::support::{
    Finished, Pair, Process, Run, SOON, assert_equal, children, eventually, pgflit,
};

/// What the log says when live replay begins.
pub(super) const LIVE: &str = "live replay from";

/// The end is now; the LSN that was printed.
#[track_caller]
pub(super) fn end_now(pair: &Pair) -> String {
    let set = pgflit("sentinel set endpos --current").dir(pair.dir());
    let set = set.source(&pair.source).run().assert_code(0);
    set.stdout.trim().to_owned()
}

/// `clone --follow` between a pair.
pub(super) struct Following<'a> {
    pub(super) pair: &'a Pair,
    pub(super) run: Run,
}

impl<'a> Following<'a> {
    /// From the beginning.
    #[track_caller]
    pub(super) fn start(pair: &'a Pair) -> Self {
        let run = pgflit("clone").follow().between(pair).start();
        Self { pair, run }
    }

    /// From the beginning, with an output plugin that the source has.
    #[track_caller]
    pub(super) fn start_with(pair: &'a Pair, plugin: &str) -> Self {
        let clone = pgflit("clone --plugin").arg(plugin).follow();
        let run = clone.between(pair).start();
        Self { pair, run }
    }

    /// From where an earlier one stopped.
    #[track_caller]
    pub(super) fn resume(pair: &'a Pair) -> Self {
        let run = pgflit("clone").follow().resume().between(pair).start();
        Self { pair, run }
    }

    /// From where an earlier one that began with that output plugin stopped.
    #[track_caller]
    pub(super) fn resume_with(pair: &'a Pair, plugin: &str) -> Self {
        let clone = pgflit("clone --resume --plugin").arg(plugin).follow();
        let run = clone.between(pair).start();
        Self { pair, run }
    }

    /// Returns once it is in live replay.
    #[track_caller]
    pub(super) fn until_live(self) -> Self {
        self.run.wait_for_stderr(LIVE);
        self
    }

    /// The three child processes, once all are there.
    #[track_caller]
    pub(super) fn children(&self) -> Vec<Process> {
        let mut found = Vec::new();
        eventually(SOON, "three children run", || {
            found = children(self.run.pid());
            found.retain(|child| child.line.starts_with("pgflit stream "));
            found.len() == 3
        });
        found
    }

    /// The child processes that there are at this moment.
    pub(super) fn children_now(&self) -> Vec<Process> {
        let mut found = children(self.run.pid());
        found.retain(|child| child.line.starts_with("pgflit stream "));
        found
    }

    /// The child of that role.
    #[track_caller]
    pub(super) fn child(&self, role: &str) -> Process {
        let line = format!("pgflit stream {role} ");
        let found = self.children();
        let child = found
            .into_iter()
            .find(|child| child.line.starts_with(&line));
        child.expect("one child a role")
    }

    /// Ends it at the source's current position, with code 0.
    #[track_caller]
    pub(super) fn end(self) -> Finished {
        end_now(self.pair);
        self.run.wait_for_exit().assert_code(0)
    }

    /// The same; then both databases must be equal, so nobody may write any more.
    #[track_caller]
    pub(super) fn end_equal(self) -> Finished {
        let pair = self.pair;
        let finished = self.end();
        assert_equal(&pair.source, &pair.target);
        finished
    }
}
