//! Finds what a client's messages change of its session.
//!
//! On the client's own path, where nothing is missing. What is said by the extended protocol is kept
//! as a Query of the same text, so that it can be said without what was prepared for it; only calls
//! with parameters keep their messages.
//!
//! Not found is what is SET in functions and in DO, and by EXECUTE. Where several transactions are
//! answered together, an error of one undoes what all of them have set. Texts fall into statements
//! as servers read them by default; where `standard_conforming_strings` is off, and a string has
//! `\'`, something may be missed or be no SQL, and nothing is said that may write.

use std::collections::HashMap;

use super::change::{self, Change};
use super::messages::{self, Request};
use super::state::{STATE_BYTES_MAX, State};
use super::statement::{self, Kinds};
use super::token;
use super::transaction::{Step, Transaction};

/// The longest unnamed statement that is kept for later transactions. Longer ones are lists of
/// values, which are executed where they are prepared.
pub const UNNAMED_BYTES_MAX: usize = 64 << 10;

/// Finds the state in a client's transactions.
#[derive(Debug, Default)]
pub struct Finder {
    transaction: Transaction,
    /// The Parse of prepared statements that change something when they are executed.
    acting: HashMap<Vec<u8>, Vec<u8>>,
    acting_bytes: usize,
    /// What was bound last, if that is such a statement.
    bound: Option<Bound>,
    /// The statement that was prepared last since the last answers, and how many requests there
    /// were: if it was the only one, an error is its.
    parsed: Option<Vec<u8>>,
    asked: usize,
    is_too_much: bool,
}

#[derive(Debug)]
struct Bound {
    portal: Vec<u8>,
    parse: Vec<u8>,
    bind: Vec<u8>,
}

impl Finder {
    /// The client says this, a whole message.
    pub fn message(&mut self, tag: u8, message: &[u8]) {
        self.asked += usize::from(matches!(tag, b'Q' | b'P' | b'B' | b'E' | b'F'));
        match messages::request(tag, message) {
            Request::Query(text) => {
                self.run(text, None);
                self.transaction.end_of_messages();
            }
            Request::Parse { name, text } => self.parse(name, text, message),
            Request::CloseStatement(name) => self.forget(name),
            Request::Bind { portal, statement } => {
                self.bound = self.acting.get(statement).map(|parse| Bound {
                    portal: portal.to_vec(),
                    parse: parse.clone(),
                    bind: message.to_vec(),
                });
            }
            Request::Execute { portal } => {
                if let Some(bound) = self.bound.take_if(|bound| bound.portal == portal)
                    && let Request::Parse { text, .. } = messages::request(b'P', &bound.parse)
                {
                    self.run(text, Some(&bound));
                }
            }
            Request::Sync | Request::FunctionCall => self.transaction.end_of_messages(),
            Request::Other => {}
        }
        let bytes = self.bytes();
        self.is_too_much |= bytes > STATE_BYTES_MAX;
    }

    /// The client says a message that is too long to be looked at, and begins with this.
    pub fn long_message(&mut self, tag: u8, body: &[u8]) {
        match (tag, body.first()) {
            (b'P', Some(0)) => self.forget(b""),
            // A prepared statement that is not kept is missing ever after.
            (b'P', _) => self.is_too_much = true,
            (b'B', _) => self.bound = None,
            // Data, or values.
            _ => {}
        }
    }

    /// Everything is answered, by an error among others if it `has_failed`.
    pub fn answered(&mut self, has_failed: bool) {
        let parsed = self.parsed.take();
        if let Some(name) = parsed.filter(|_| has_failed && self.asked == 1) {
            self.forget(&name);
        }
        self.asked = 0;
        self.transaction.answered(has_failed);
    }

    /// The client is between transactions: what it has changed since the last time, none if that is
    /// more than is kept.
    pub fn take(&mut self) -> Option<State> {
        let state = self.transaction.take();
        (!self.is_too_much).then_some(state)
    }

    /// What is kept in memory until then.
    pub fn bytes(&self) -> usize {
        self.transaction.bytes() + self.acting_bytes
    }

    fn parse(&mut self, name: &[u8], text: &[u8], message: &[u8]) {
        if name.is_empty() && message.len() > UNNAMED_BYTES_MAX {
            return self.forget(name);
        }
        self.let_go(name);
        let kinds = statement::kinds(text);
        if may_act(kinds, text) {
            self.acting_bytes += name.len() + message.len();
            self.acting.insert(name.to_vec(), message.to_vec());
        }
        self.parsed = Some(name.to_vec());
        let change = Change::Prepares(name.to_vec());
        self.transaction.change(change, message.to_vec());
    }

    /// A prepared statement is there no more.
    fn forget(&mut self, name: &[u8]) {
        self.let_go(name);
        let change = Change::Forgets(name.to_vec());
        self.transaction
            .change(change, messages::close_statement(name));
    }

    fn let_go(&mut self, name: &[u8]) {
        if let Some(parse) = self.acting.remove(name) {
            self.acting_bytes -= name.len() + parse.len();
        }
    }

    /// `text` is executed, as it is or as it was bound.
    fn run(&mut self, text: &[u8], bound: Option<&Bound>) {
        if !may_act(statement::kinds(text), text) {
            return;
        }
        for statement in token::statements(text) {
            match Step::of(statement) {
                Some(step) => self.transaction.step(&step),
                None => {
                    if let Some(change) = Change::of(statement) {
                        self.change(change, statement, bound);
                    }
                }
            }
        }
    }

    fn change(&mut self, change: Change, statement: &[u8], bound: Option<&Bound>) {
        let values = bound.and_then(|bound| messages::parameters(&bound.bind));
        let call = match (bound, &values) {
            (Some(bound), Some(values)) if !values.is_empty() => {
                messages::call(&bound.parse, &bound.bind)
            }
            _ => None,
        };
        let messages = call.unwrap_or_else(|| messages::query(statement));
        match change {
            Change::Forgets(name) => self.forget(&name),
            Change::SetsParameter(number) => {
                let values = values.unwrap_or_default();
                let name = values.get(number.wrapping_sub(1)).copied().flatten();
                let change = match name {
                    Some(name) => Change::Sets(name.to_ascii_lowercase()),
                    None => Change::Other(messages.clone()),
                };
                self.transaction.change(change, messages);
            }
            // What it sets may be in its parameters.
            Change::Other(_) => {
                let change = Change::Other(messages.clone());
                self.transaction.change(change, messages);
            }
            change => {
                match &change {
                    Change::Prepares(name) => self.let_go(name),
                    Change::ForgetsStatements | Change::ForgetsAll => {
                        self.acting.clear();
                        self.acting_bytes = 0;
                    }
                    _ => {}
                }
                self.transaction.change(change, messages);
            }
        }
    }
}

/// Whether a text of these kinds steps on in a transaction, or changes something.
fn may_act(kinds: Kinds, text: &[u8]) -> bool {
    kinds.has(Kinds::CONTROL) || change::may_change(kinds, text)
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::*;
    use crate::wire::frame;
    use proptest::prelude::*;

    /// What a transaction of these messages changes: named, and the unnamed statement.
    fn find(finder: &mut Finder, messages: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
        for (tag, message) in frame::frames(&messages.concat()) {
            finder.message(tag, message);
        }
        finder.answered(false);
        let state = finder.take().expect("not too much");
        (state.named(), state.unnamed())
    }

    fn run(statement: &str, parameters: &[&str]) -> Vec<u8> {
        let bind = build::bind_with(statement, parameters);
        [bind, build::execute(""), build::sync()].concat()
    }

    #[test]
    fn what_is_prepared_and_set_is_found_and_nothing_else() {
        let mut finder = Finder::default();
        let set = build::query("SET a.b = 'c'");
        let found = find(
            &mut finder,
            &[
                build::query("BEGIN"),
                set.clone(),
                build::query("SELECT 1"),
                build::query("END"),
            ],
        );
        assert_eq!(found, (set, vec![]));
        let parse = build::parse("s1", "SELECT $1");
        let (named, unnamed) = find(&mut finder, &[parse.clone(), run("s1", &["x"])]);
        assert!(named.ends_with(&[parse, build::sync()].concat()) && unnamed.is_empty());
        let (named, unnamed) = find(&mut finder, &[build::parse("", "SELECT 1"), run("", &[])]);
        assert!(named.is_empty());
        let last = [build::parse("", "SELECT 1"), build::sync()].concat();
        assert_eq!(unnamed, last);
    }

    #[test]
    fn what_is_set_by_the_extended_protocol_is_found_each_time() {
        let mut finder = Finder::default();
        let parse = [build::parse("s", "SET x.y = 'z'"), build::sync()].concat();
        let (named, _) = find(&mut finder, std::slice::from_ref(&parse));
        assert!(named.ends_with(&parse));
        let set = build::query("SET x.y = 'z'");
        assert_eq!(find(&mut finder, &[run("s", &[])]), (set.clone(), vec![]));
        let texts = [
            build::query("RESET ALL"),
            build::query("DEALLOCATE s"),
            run("s", &[]),
        ];
        let forgotten = [
            build::query("RESET ALL"),
            build::close_statement("s"),
            build::sync(),
        ];
        assert_eq!(find(&mut finder, &texts).0, forgotten.concat());
        let begun = ["BEGIN", "SET x.y = 'z'", "ROLLBACK"]
            .map(|text| [build::parse("", text), run("", &[])].concat());
        assert_eq!(find(&mut finder, &begun).0, b"");
    }

    #[test]
    fn calls_with_parameters_are_told_apart_by_the_setting() {
        let mut finder = Finder::default();
        let text = "SELECT set_config($1, $2, false)";
        let parse = [build::parse("s", text), build::sync()].concat();
        find(&mut finder, &[parse]);
        let call = |parameters| {
            let parse = build::parse("", text);
            [parse, run("", parameters)].concat()
        };
        let said = [
            run("s", &["a.b", "1"]),
            run("s", &["c", "2"]),
            run("s", &["A.b", "3"]),
        ];
        let (named, _) = find(&mut finder, &said);
        assert_eq!(named, [call(&["c", "2"]), call(&["A.b", "3"])].concat());
    }

    #[test]
    fn of_a_text_the_parts_are_kept_that_change_something() {
        let mut finder = Finder::default();
        for (text, kept) in [
            (
                "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
                &[" RESET ALL"][..],
            ),
            ("BEGIN; SET a = 1; ROLLBACK; SET b = 2", &[" SET b = 2"]),
            (
                "SET a = 1; DELETE FROM t; SET b = 2",
                &["SET a = 1", " SET b = 2"],
            ),
            (
                "SET default_transaction_read_only = off; SET a = 1",
                &[" SET a = 1"],
            ),
            (
                "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SET a = 1; END",
                &[],
            ),
        ] {
            let kept: Vec<_> = kept.iter().map(|text| build::query(text)).collect();
            let found = find(&mut finder, &[build::query(text)]);
            assert_eq!(found.0, kept.concat(), "{text}");
        }
    }

    #[test]
    fn a_long_unnamed_statement_is_not_kept_and_a_long_named_one_is_too_much() {
        let mut finder = Finder::default();
        let long = format!(
            "INSERT INTO t VALUES ('{}')",
            "x".repeat(2 * STATE_BYTES_MAX)
        );
        let (named, unnamed) = find(&mut finder, &[build::parse("", &long), run("", &[])]);
        let forgotten = [build::close_statement(""), build::sync()].concat();
        assert_eq!((named, unnamed), (vec![], forgotten));
        finder.message(b'P', &build::parse("s", &long));
        assert_eq!(finder.take(), None);
    }

    #[test]
    fn what_failed_to_be_prepared_is_not_there() {
        let mut finder = Finder::default();
        let parse = build::parse("s", "SELEC 1");
        finder.message(b'P', &parse);
        finder.answered(true);
        assert_eq!(finder.take(), Some(State::default()));
        // What failed may be what executed it.
        finder.message(b'P', &parse);
        finder.message(b'B', &build::bind("", "s"));
        finder.answered(true);
        assert!(finder.take().is_some_and(|state| !state.is_empty()));
    }

    #[test]
    fn what_is_prepared_and_forgotten_again_takes_no_room() {
        let mut finder = Finder::default();
        let text = format!("SET a = '{}'", "x".repeat(1000));
        let mut said = vec![build::query("BEGIN")];
        for number in 0..2000 {
            let name = format!("s{number}");
            said.extend([
                build::parse(&name, &text),
                run(&name, &[]),
                build::close_statement(&name),
                build::parse("", "SELECT 1"),
            ]);
        }
        find(&mut finder, &said);
        assert_eq!(finder.bytes(), 0);
    }

    proptest! {
        #[test]
        fn hostile_messages_are_no_harm(messages: Vec<(u8, Vec<u8>)>) {
            let mut finder = Finder::default();
            for (tag, body) in &messages {
                finder.message(*tag, &build::message(*tag, body));
                finder.long_message(*tag, body);
                finder.answered(body.is_empty());
            }
            let _ = finder.take();
        }
    }
}
