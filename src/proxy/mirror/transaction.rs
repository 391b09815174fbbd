//! What a client's transaction has changed so far, of which a rollback leaves the prepared
//! statements alone.

use super::change::{self, Change};
use super::state::State;
use super::token::{Token, Tokens};

/// Savepoints of a transaction that are known; what is rolled back to one beyond is taken for kept.
const SAVEPOINTS_MAX: usize = 1000;

/// A step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// BEGIN.
    Begin,
    /// COMMIT; another one begins at once if it is in a chain.
    Commit {
        /// AND CHAIN.
        is_chained: bool,
    },
    /// ROLLBACK.
    Rollback {
        /// AND CHAIN.
        is_chained: bool,
    },
    /// SAVEPOINT.
    Savepoint(Vec<u8>),
    /// RELEASE of a savepoint.
    Release(Vec<u8>),
    /// ROLLBACK TO a savepoint.
    RollbackTo(Vec<u8>),
}

impl Step {
    /// The step that `statement`, one alone, is.
    pub fn of(statement: &[u8]) -> Option<Step> {
        let mut tokens = Tokens::of(statement);
        let first = change::name(tokens.next()?)?;
        let rest: Vec<Token<'_>> = tokens.collect();
        let has = |word: &[u8]| {
            let mut words = rest.iter();
            words.any(
                |token| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word)),
            )
        };
        let name = || change::name(*rest.last()?);
        let is_chained = has(b"chain") && !has(b"no");
        match first.as_slice() {
            b"begin" | b"start" => Some(Step::Begin),
            _ if has(b"prepared") => None,
            b"commit" | b"end" => Some(Step::Commit { is_chained }),
            b"rollback" | b"abort" if has(b"to") => name().map(Step::RollbackTo),
            b"rollback" | b"abort" => Some(Step::Rollback { is_chained }),
            b"savepoint" => name().map(Step::Savepoint),
            b"release" => name().map(Step::Release),
            _ => None,
        }
    }
}

/// Transactions of a client, one after the other.
#[derive(Debug, Default)]
pub struct Transaction {
    /// It was begun, and is not over with its messages.
    is_open: bool,
    /// It can only be rolled back.
    has_failed: bool,
    /// What it has changed before its first savepoint.
    changed: State,
    /// What it has changed since each savepoint.
    savepoints: Vec<(Vec<u8>, State)>,
    /// By transactions that have ended since the last answers: an error may still undo them.
    ended: State,
    /// By those that have come through.
    held: State,
}

impl Transaction {
    /// Something is changed.
    pub fn change(&mut self, change: Change, messages: Vec<u8>) {
        let last = self.savepoints.last_mut().map(|(_, changed)| changed);
        last.unwrap_or(&mut self.changed).add(change, messages);
    }

    /// The client steps on.
    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Begin => self.is_open = true,
            Step::Commit { is_chained } => self.end(self.has_failed, *is_chained),
            Step::Rollback { is_chained } => self.end(true, *is_chained),
            Step::Savepoint(name) if self.savepoints.len() < SAVEPOINTS_MAX => {
                self.savepoints.push((name.clone(), State::default()));
            }
            Step::Savepoint(_) => {}
            Step::Release(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.release(at);
                }
            }
            Step::RollbackTo(name) => {
                self.has_failed = false;
                if let Some(at) = self.savepoint(name) {
                    self.savepoints[at..]
                        .iter_mut()
                        .for_each(|(_, changed)| changed.undo());
                    self.release(at + 1);
                }
            }
        }
    }

    /// The messages end that are one transaction where none is begun.
    pub fn end_of_messages(&mut self) {
        if !self.is_open {
            self.end(false, false);
        }
    }

    /// Everything is answered, by an error among others if it `has_failed`.
    pub fn answered(&mut self, has_failed: bool) {
        self.end_of_messages();
        if has_failed {
            self.ended.undo();
            self.has_failed = self.is_open;
        }
        self.held.merge(std::mem::take(&mut self.ended));
    }

    /// No transaction is open any more: what has changed.
    pub fn take(&mut self) -> State {
        self.end(self.has_failed, false);
        self.answered(false);
        std::mem::take(&mut self.held)
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> usize {
        let savepoints = self.savepoints.iter();
        let since: usize = savepoints
            .map(|(name, changed)| size_of::<(Vec<u8>, State)>() + name.len() + changed.bytes())
            .sum();
        since + self.changed.bytes() + self.ended.bytes() + self.held.bytes()
    }

    fn end(&mut self, is_undone: bool, is_chained: bool) {
        self.release(0);
        let mut changed = std::mem::take(&mut self.changed);
        if is_undone {
            changed.undo();
        }
        self.ended.merge(changed);
        self.is_open = is_chained;
        self.has_failed = false;
    }

    /// Where the last savepoint of this name is.
    fn savepoint(&self, name: &[u8]) -> Option<usize> {
        self.savepoints.iter().rposition(|(one, _)| one == name)
    }

    /// Forgets savepoints from this one on: what was changed since is the one's before.
    fn release(&mut self, at: usize) {
        let released: Vec<_> = self
            .savepoints
            .drain(at.min(self.savepoints.len())..)
            .collect();
        let before = self.savepoints.last_mut().map(|(_, changed)| changed);
        let before = before.unwrap_or(&mut self.changed);
        for (_, changed) in released {
            before.merge(changed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_known_by_their_words() {
        let commit = |is_chained| Some(Step::Commit { is_chained });
        let rollback = |is_chained| Some(Step::Rollback { is_chained });
        for (text, step) in [
            ("begin isolation level serializable", Some(Step::Begin)),
            ("START TRANSACTION", Some(Step::Begin)),
            ("COMMIT", commit(false)),
            ("END WORK AND CHAIN", commit(true)),
            ("COMMIT AND NO CHAIN", commit(false)),
            ("COMMIT PREPARED 'x'", None),
            ("ABORT", rollback(false)),
            ("ROLLBACK AND CHAIN", rollback(true)),
            ("ROLLBACK PREPARED 'x'", None),
            ("SAVEPOINT A", Some(Step::Savepoint("a".into()))),
            ("RELEASE SAVEPOINT \"A\"", Some(Step::Release("A".into()))),
            (
                "rollback to savepoint a",
                Some(Step::RollbackTo("a".into())),
            ),
            ("SET LOCAL a = 1", None),
            ("", None),
        ] {
            assert_eq!(Step::of(text.as_bytes()), step, "{text}");
        }
    }

    /// What is left of transactions: their statements, `!` for answers with an error and `.` for
    /// those without.
    fn left(said: &[&str]) -> String {
        let mut transaction = Transaction::default();
        for text in said {
            match *text {
                "." => transaction.answered(false),
                "!" => transaction.answered(true),
                text => match Step::of(text.as_bytes()) {
                    Some(step) => transaction.step(&step),
                    None => {
                        let change = Change::of(text.as_bytes()).expect("a change");
                        transaction.change(change, format!("{text};").into());
                    }
                },
            }
        }
        let mut left = String::from_utf8(transaction.take().named()).expect("text");
        // What is no Query has a Sync.
        left = left.replace("S\0\0\0\u{4}", " ");
        assert_eq!(transaction.bytes(), 0);
        left.trim_end().to_owned()
    }

    #[test]
    fn a_rollback_undoes_what_was_set_in_its_transaction_alone() {
        for (said, kept) in [
            (&["SET a = 1", "."][..], "SET a = 1;"),
            (&["SET a = 1", "!"], ""),
            (
                &["BEGIN", "SET a = 1", ".", "ROLLBACK", "SET b = 1", "."],
                "SET b = 1;",
            ),
            (
                &["SET a = 1", ".", "BEGIN", "!", "SET b = 1", "ROLLBACK", "."],
                "SET a = 1;",
            ),
            (&["BEGIN", ".", "SET a = 1", "!", "COMMIT", "."], ""),
            (&["BEGIN", "SET a = 1", ".", "COMMIT", "!"], ""),
            (
                &[
                    "BEGIN",
                    "SET a = 1",
                    ".",
                    "!",
                    "COMMIT AND CHAIN",
                    "SET b = 1",
                    "COMMIT",
                    ".",
                ],
                "SET b = 1;",
            ),
            (
                &["BEGIN", "ROLLBACK AND CHAIN", "SET a = 1", "ROLLBACK", "."],
                "",
            ),
            (
                &["BEGIN", "DISCARD PLANS", "ROLLBACK", "DISCARD ALL", "."],
                "DISCARD ALL;",
            ),
        ] {
            assert_eq!(left(said), kept, "{said:?}");
        }
        let prepared = left(&["BEGIN", "DEALLOCATE a", "SET a = 1", "ROLLBACK", "."]);
        assert_eq!(prepared, "DEALLOCATE a;");
    }

    #[test]
    fn a_savepoint_undoes_what_was_set_since() {
        let begun = [
            "BEGIN",
            "SET a = 1",
            "SAVEPOINT x",
            "SET a = 2",
            "SET b = 2",
        ];
        let after = |rest: &[&str]| left(&[&begun, rest].concat());
        assert_eq!(after(&["ROLLBACK TO x", "COMMIT", "."]), "SET a = 1;");
        assert_eq!(
            after(&[".", "!", "ROLLBACK TO x", "COMMIT", "."]),
            "SET a = 1;"
        );
        assert_eq!(
            after(&["RELEASE x", "COMMIT", "."]),
            "SET a = 2; SET b = 2;"
        );
        assert_eq!(
            after(&["SAVEPOINT y", "SET c = 3", "ROLLBACK TO x", "COMMIT", "."]),
            "SET a = 1;"
        );
        assert_eq!(
            after(&[
                "SAVEPOINT y",
                "SET c = 3",
                "ROLLBACK TO y",
                "SET d = 4",
                "COMMIT",
                "."
            ]),
            "SET a = 2; SET b = 2; SET d = 4;"
        );
        assert_eq!(after(&["ROLLBACK", "."]), "");
    }

    #[test]
    fn savepoints_are_bounded() {
        let mut transaction = Transaction::default();
        transaction.step(&Step::Begin);
        for _ in 0..10 * SAVEPOINTS_MAX {
            transaction.step(&Step::Savepoint("x".into()));
        }
        assert_eq!(transaction.savepoints.len(), SAVEPOINTS_MAX);
        transaction.step(&Step::Release("x".into()));
        transaction.step(&Step::RollbackTo("none".into()));
        assert_eq!(transaction.savepoints.len(), SAVEPOINTS_MAX - 1);
    }
}
