//! What a session carries from one transaction to the next, in so far as it was said in messages:
//! prepared statements, and SET.
//!
//! A mirror's session needs all of it, also of transactions that are not mirrored: a statement that
//! was prepared in one that was dropped is executed in one that is not. So a [`finder`](super::finder)
//! takes it out of each transaction, and it is kept for a mirror's connection that is opened later,
//! or again.

use super::change::Change;
use super::messages;

/// Bytes of state that a session may have: some thousand prepared statements.
pub const STATE_BYTES_MAX: usize = 1 << 20;

/// Changes that are kept without being told apart; the oldest are forgotten beyond. Statements that
/// choose the settings that they set are as good as unknown.
const OTHERS_MAX: usize = 64;

/// What was changed, each thing once: said to a session, it makes it what it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// In the order in which they were said last.
    entries: Vec<Entry>,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    change: Change,
    /// Whole messages without a Sync.
    messages: Vec<u8>,
    /// Of a prepared statement: one of that name may be there before.
    was_there: bool,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Entry>() + self.messages.len() + self.change.bytes()
    }

    fn is_other(&self) -> bool {
        matches!(self.change, Change::Other(_))
    }

    /// The messages, in a form that can be said whatever was before.
    fn write(&self, to: &mut Vec<u8>) {
        if let Change::Prepares(name) = &self.change
            && !name.is_empty()
        {
            // It may be there already.
            to.extend(messages::close_statement(name));
            to.extend_from_slice(&SYNC);
        }
        to.extend_from_slice(&self.messages);
        let is_query = self.messages.first() == Some(&b'Q');
        if !is_query {
            // One that fails does not take others with it.
            to.extend_from_slice(&SYNC);
        }
    }
}

const SYNC: [u8; 5] = [b'S', 0, 0, 0, 4];

impl State {
    /// Adds a change, and `messages` that make it.
    pub fn add(&mut self, change: Change, messages: Vec<u8>) {
        let was_there = match &change {
            Change::Prepares(name) => name.is_empty(),
            change => matches!(change, Change::Forgets(_)),
        };
        self.push(Entry {
            change,
            messages,
            was_there,
        });
    }

    fn push(&mut self, mut entry: Entry) {
        let names_one = matches!(entry.change, Change::Prepares(_) | Change::Forgets(_));
        let replaced = |one: &&Entry| names_one && entry.change.replaces(&one.change);
        if let Some(before) = self.entries.iter().find(replaced) {
            entry.was_there = before.was_there;
        }
        self.retain(|before| !entry.change.replaces(&before.change));
        if matches!(entry.change, Change::Forgets(_)) && !entry.was_there {
            // It was prepared since.
            return;
        }
        if entry.is_other()
            && self.entries.iter().filter(|one| one.is_other()).count() >= OTHERS_MAX
        {
            let mut is_first = true;
            self.retain(|one| !(one.is_other() && std::mem::take(&mut is_first)));
        }
        self.bytes += entry.bytes();
        self.entries.push(entry);
    }

    /// Adds what was changed later.
    pub fn merge(&mut self, later: State) {
        if self.entries.is_empty() {
            *self = later;
            return;
        }
        later.entries.into_iter().for_each(|entry| self.push(entry));
    }

    /// Takes out what only makes a session forget: a new one has nothing to forget.
    pub fn settle(&mut self) {
        self.retain(|entry| {
            !matches!(
                entry.change,
                Change::Forgets(_)
                    | Change::ForgetsStatements
                    | Change::Resets
                    | Change::ForgetsAll
            )
        });
    }

    /// Takes back what a transaction that is rolled back does not leave.
    pub fn undo(&mut self) {
        self.retain(|entry| entry.change.is_of_statements());
    }

    /// Nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether more than prepared statements is.
    pub fn sets(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| !entry.change.is_of_statements())
    }

    /// Whether there is an unnamed statement in it, or none any more.
    pub fn has_unnamed(&self) -> bool {
        self.entries.iter().any(is_unnamed)
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of it as messages, but for the unnamed statement.
    pub fn named(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.bytes);
        for entry in self.entries.iter().filter(|one| !is_unnamed(one)) {
            entry.write(&mut all);
        }
        all
    }

    /// The unnamed statement, which each Query and what else is set makes a session forget: it is to
    /// come last.
    pub fn unnamed(&self) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(entry) = self.entries.iter().find(|one| is_unnamed(one)) {
            entry.write(&mut all);
        }
        all
    }

    fn retain(&mut self, mut stays: impl FnMut(&Entry) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|entry| {
            let stays = stays(entry);
            if !stays {
                *bytes -= entry.bytes();
            }
            stays
        });
    }
}

fn is_unnamed(entry: &Entry) -> bool {
    match &entry.change {
        Change::Prepares(name) | Change::Forgets(name) => name.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::*;

    fn state(texts: &[&str]) -> State {
        let mut state = State::default();
        for text in texts {
            let change = Change::of(text.as_bytes()).expect("a change");
            state.add(change, build::query(text));
        }
        state
    }

    fn prepare(state: &mut State, name: &str, text: &str) {
        state.add(Change::Prepares(name.into()), build::parse(name, text));
    }

    #[test]
    fn only_the_last_value_is_kept() {
        let mut kept = state(&["SET a = 1", "SET b = 1", "SET a = 2", "SET c.d = 3"]);
        let last = state(&["SET b = 1", "SET a = 2", "SET c.d = 3"]);
        assert_eq!(kept, last);
        kept.merge(state(&["RESET ALL", "SET b = 4"]));
        assert_eq!(kept, state(&["RESET ALL", "SET b = 4"]));
        kept.merge(state(&["DISCARD ALL"]));
        assert_eq!(kept, state(&["DISCARD ALL"]));
    }

    #[test]
    fn statements_can_be_prepared_where_they_are_already_and_the_unnamed_one_comes_last() {
        let mut state = State::default();
        prepare(&mut state, "", "SELECT 1");
        prepare(&mut state, "s", "SELECT 2");
        let forgets = Change::Forgets("t".into());
        state.add(forgets, build::close_statement("t"));
        assert!(!state.sets());
        let sync = build::sync();
        let named = [
            build::close_statement("s"),
            sync.clone(),
            build::parse("s", "SELECT 2"),
            sync.clone(),
            build::close_statement("t"),
            sync.clone(),
        ];
        assert_eq!(state.named(), named.concat());
        prepare(&mut state, "", "SELECT 3");
        let unnamed = [build::parse("", "SELECT 3"), sync];
        assert_eq!(state.unnamed(), unnamed.concat());
    }

    #[test]
    fn what_is_prepared_and_forgotten_again_leaves_nothing() {
        let mut kept = State::default();
        prepare(&mut kept, "s", "SELECT 1");
        kept.merge(state(&["DEALLOCATE s"]));
        assert_eq!(kept, State::default());
        // This one was there before.
        kept.merge(state(&["DEALLOCATE s"]));
        prepare(&mut kept, "s", "SELECT 2");
        kept.merge(state(&["DEALLOCATE s", "SET a = 1"]));
        assert_eq!(kept, state(&["DEALLOCATE s", "SET a = 1"]));
        kept.settle();
        assert_eq!(kept, state(&["SET a = 1"]));
    }

    #[test]
    fn what_is_undone_is_what_was_set() {
        let mut kept = state(&["PREPARE a AS SELECT 1", "SET a = 1", "DEALLOCATE b"]);
        assert!(kept.sets());
        kept.undo();
        assert_eq!(kept, state(&["PREPARE a AS SELECT 1", "DEALLOCATE b"]));
    }

    #[test]
    fn what_cannot_be_told_apart_is_bounded() {
        let mut kept = State::default();
        for number in 0..10 * OTHERS_MAX {
            let text = format!("SELECT set_config('a' || {number}, 'b', false)");
            kept.merge(state(&[&text]));
        }
        assert_eq!(kept.entries.len(), OTHERS_MAX);
        assert!(kept.named().ends_with(&build::query(&format!(
            "SELECT set_config('a' || {}, 'b', false)",
            10 * OTHERS_MAX - 1
        ))));
        kept.merge(state(&["DISCARD ALL"]));
        kept.retain(|_| false);
        assert_eq!(kept.bytes(), 0);
    }
}
