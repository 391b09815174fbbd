//! What a session carries from one transaction to the next, in so far as it was said in messages:
//! prepared statements, and SET.
//!
//! A mirror's session needs all of it, also of transactions that are not mirrored: a statement that
//! was prepared in one that was dropped is executed in one that is not. So it is taken out of each
//! transaction here, on the client's own path, where nothing is missing; [`Log`] keeps it for a
//! mirror's connection that is opened later, or again.
//!
//! What is not found: SET in functions and in DO, `set_config` behind a prepared statement, and
//! what a transaction undid by ROLLBACK TO.

use std::collections::{HashSet, VecDeque};

use super::messages::{self, Request};
use super::statement::{self, Kinds};
use super::token::{Token, Tokens};
use crate::wire::frame;

/// Bytes of state that a session may have: some thousand prepared statements.
pub const STATE_BYTES_MAX: usize = 1 << 20;

/// Finds the state in a client's transactions.
#[derive(Debug, Default)]
pub struct Finder {
    /// Prepared statements that change state when they are executed.
    changing: HashSet<Vec<u8>>,
}

impl Finder {
    /// The messages of `requests`, whole ones, that change state. `is_kept` is whether what was SET
    /// holds: the transaction had no error.
    pub fn find(&mut self, requests: &[u8], is_kept: bool) -> Vec<u8> {
        let mut found = Vec::new();
        let mut unnamed_changes = false;
        // The portal that executes such a statement, and where its messages begin.
        let mut is_open = false;
        let mut needs_sync = false;
        let mut is_undone = !is_kept;
        for (tag, message) in frame::frames(requests) {
            match messages::request(tag, message) {
                Request::Query(text) => {
                    let kinds = statement::kinds(text);
                    is_undone |= kinds.has(Kinds::ROLLBACK);
                    if keeps_state(kinds, text) && !is_undone {
                        found.extend_from_slice(message);
                        if kinds.has(Kinds::CONTROL) {
                            // A text that begins a transaction, too: said alone, it is to end.
                            found.extend_from_slice(&COMMIT);
                        }
                    }
                }
                Request::Parse { name, text } => {
                    let kinds = statement::kinds(text);
                    is_undone |= kinds.has(Kinds::ROLLBACK);
                    let changes = keeps_state(kinds, text);
                    match name.is_empty() {
                        true => unnamed_changes = changes,
                        false if changes => {
                            self.changing.insert(name.to_vec());
                        }
                        false => {
                            self.changing.remove(name);
                        }
                    }
                    if !name.is_empty() || changes {
                        found.extend_from_slice(message);
                        needs_sync = true;
                    }
                }
                Request::Bind { statement, .. } => {
                    is_open = match statement.is_empty() {
                        true => unnamed_changes,
                        false => self.changing.contains(statement),
                    };
                    if is_open && !is_undone {
                        found.extend_from_slice(message);
                        needs_sync = true;
                    }
                }
                Request::Execute { .. } if is_open && !is_undone => {
                    found.extend_from_slice(message);
                    needs_sync = true;
                }
                Request::CloseStatement(name) => {
                    self.changing.remove(name);
                    found.extend_from_slice(message);
                    needs_sync = true;
                }
                Request::Sync if needs_sync => {
                    found.extend_from_slice(message);
                    needs_sync = false;
                }
                _ => {}
            }
        }
        if needs_sync {
            found.extend_from_slice(&SYNC);
        }
        found
    }
}

const COMMIT: [u8; 12] = *b"Q\0\0\0\x0bCOMMIT\0";

const SYNC: [u8; 5] = [b'S', 0, 0, 0, 4];

fn keeps_state(kinds: Kinds, text: &[u8]) -> bool {
    let is_call = kinds.has(Kinds::READ) && contains_set_config(text);
    (kinds.has(Kinds::STATE) || is_call) && kinds.only_reads()
}

fn contains_set_config(text: &[u8]) -> bool {
    let name = b"set_config";
    text.windows(name.len())
        .any(|window| window.eq_ignore_ascii_case(name))
}

/// The state of a session so far, to be said again on another connection.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    about: About,
    messages: Vec<u8>,
}

/// What an entry says something about: another one about the same stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    /// A prepared statement.
    Statement(Vec<u8>),
    /// A setting, by its name.
    Setting(Vec<u8>),
    /// Whatever its text says.
    Text,
    /// Messages of the extended protocol that belong together.
    Pieces,
}

/// More state than is kept: what the session means can no longer be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

impl Log {
    /// Adds what [`Finder::find`] found.
    ///
    /// # Errors
    /// [`STATE_BYTES_MAX`] are reached; the log is of no more use.
    pub fn add(&mut self, found: &[u8]) -> Result<(), TooMuch> {
        for (tag, message) in frame::frames(found) {
            match messages::request(tag, message) {
                Request::Parse { name, .. } if !name.is_empty() => {
                    let about = About::Statement(name.to_vec());
                    self.forget(|entry| entry.about == about);
                    self.push(about, message);
                }
                Request::CloseStatement(name) => {
                    let about = About::Statement(name.to_vec());
                    self.forget(|entry| entry.about == about);
                }
                Request::Query(text) => match Forgets::of(text) {
                    Some(Forgets::Everything) => *self = Log::default(),
                    Some(Forgets::Statements) => {
                        self.forget(|entry| matches!(entry.about, About::Statement(_)));
                    }
                    None => {
                        // The last value of a setting is the one that counts.
                        let about = setting(text).map_or(About::Text, About::Setting);
                        self.forget(|entry| match about {
                            About::Setting(_) => entry.about == about,
                            _ => entry.messages == message,
                        });
                        self.push(about, message);
                    }
                },
                Request::Sync => {}
                // The pieces of a statement that SETs something by the extended protocol belong
                // together.
                Request::Parse { .. } => self.push(About::Pieces, message),
                _ => match self.entries.back_mut() {
                    Some(last) if last.about == About::Pieces => {
                        self.bytes += message.len();
                        last.messages.extend_from_slice(message);
                    }
                    _ => self.push(About::Pieces, message),
                },
            }
        }
        match self.bytes > STATE_BYTES_MAX {
            true => Err(TooMuch),
            false => Ok(()),
        }
    }

    /// All of it as messages. Each of the extended protocol has its Sync: one that fails does not
    /// take others with it.
    pub fn messages(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.bytes + self.entries.len() * SYNC.len());
        for entry in &self.entries {
            all.extend_from_slice(&entry.messages);
            if matches!(entry.about, About::Statement(_) | About::Pieces) {
                all.extend_from_slice(&SYNC);
            }
        }
        all
    }

    fn push(&mut self, about: About, message: &[u8]) {
        self.bytes += message.len();
        self.entries.push_back(Entry {
            about,
            messages: message.to_vec(),
        });
    }

    fn forget(&mut self, is_meant: impl Fn(&Entry) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|entry| {
            let stays = !is_meant(entry);
            if !stays {
                *bytes -= entry.messages.len();
            }
            stays
        });
    }
}

/// What a statement makes a session forget.
enum Forgets {
    Everything,
    Statements,
}

impl Forgets {
    fn of(text: &[u8]) -> Option<Forgets> {
        let shape = statement::Statement::of(text).shape;
        match shape.as_str() {
            "discard all" => Some(Forgets::Everything),
            "deallocate all" | "deallocate prepare all" => Some(Forgets::Statements),
            _ => None,
        }
    }
}

/// The setting that a text changes, if it changes one and does nothing else.
fn setting(text: &[u8]) -> Option<Vec<u8>> {
    let mut tokens = Tokens::of(text);
    let Some(Token::Word(first)) = tokens.next() else {
        return None;
    };
    if first.eq_ignore_ascii_case(b"select") {
        return set_by_function(text);
    }
    let is_set = first.eq_ignore_ascii_case(b"set");
    if !is_set && !first.eq_ignore_ascii_case(b"reset") {
        return None;
    }
    let mut name = Vec::new();
    for token in tokens.by_ref() {
        match token {
            Token::Word(word) if word.eq_ignore_ascii_case(b"session") && name.is_empty() => {}
            Token::Word(word) if word.eq_ignore_ascii_case(b"to") => break,
            Token::Word(word) => name.extend(word.to_ascii_lowercase()),
            Token::Quoted(word) => {
                name.extend(word.trim_ascii().iter().filter(|byte| **byte != b'"'))
            }
            Token::Symbol(b'.') => name.push(b'.'),
            Token::Symbol(b'=') => break,
            Token::Semicolon if tokens.clone().next().is_none() => break,
            _ => return None,
        }
        if WITHOUT_EQUALS.contains(&name.as_slice()) {
            break;
        }
    }
    let is_alone = !tokens.any(|token| token == Token::Semicolon) || text_ends_behind(text);
    (is_alone && !name.is_empty() && name != b"all").then_some(name)
}

/// Settings whose SET has a syntax of its own.
const WITHOUT_EQUALS: [&[u8]; 5] = [b"role", b"time", b"names", b"schema", b"authorization"];

/// Whether nothing but white space is behind the only semicolon.
fn text_ends_behind(text: &[u8]) -> bool {
    let mut semicolons = 0;
    let last = Tokens::of(text).fold(None, |_, token| {
        semicolons += usize::from(token == Token::Semicolon);
        Some(token)
    });
    semicolons == 1 && last == Some(Token::Semicolon)
}

/// `SELECT set_config('name', …)`, and nothing else: what it begins with, up to the name.
fn set_by_function(text: &[u8]) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    let calls = memchr::memmem::find_iter(&lower, "set_config").count();
    let comma = memchr::memchr(b',', &lower)?;
    (calls == 1).then(|| lower[..comma].to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::*;

    fn find(finder: &mut Finder, messages: &[Vec<u8>]) -> Vec<u8> {
        finder.find(&messages.concat(), true)
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
        assert_eq!(found, set);
        let parse = build::parse("s1", "SELECT $1");
        let found = find(
            &mut finder,
            &[
                parse.clone(),
                build::bind("", "s1"),
                build::execute(""),
                build::sync(),
            ],
        );
        assert_eq!(found, [parse, build::sync()].concat());
        let unnamed = [
            build::parse("", "SELECT 1"),
            build::bind("", ""),
            build::execute(""),
            build::sync(),
        ];
        assert!(find(&mut finder, &unnamed).is_empty());
    }

    #[test]
    fn what_is_set_by_the_extended_protocol_is_found_each_time() {
        let mut finder = Finder::default();
        let first = [build::parse("s", "SET x.y = 'z'"), build::sync()].concat();
        assert_eq!(finder.find(&first, true), first);
        let again = [build::bind("", "s"), build::execute(""), build::sync()].concat();
        assert_eq!(finder.find(&again, true), again);
        let unnamed = [
            build::parse("", "RESET ALL"),
            build::bind("", ""),
            build::execute(""),
            build::sync(),
        ]
        .concat();
        assert_eq!(finder.find(&unnamed, true), unnamed);
    }

    #[test]
    fn what_was_undone_is_not_kept_but_what_was_prepared_is() {
        let mut finder = Finder::default();
        let parse = [build::parse("s", "SELECT 1"), build::sync()].concat();
        let unit = [&parse[..], &build::query("SET a = b")].concat();
        assert_eq!(finder.find(&unit, false), parse);
    }

    #[test]
    fn a_log_forgets_what_the_session_forgets() {
        let mut log = Log::default();
        let add = |log: &mut Log, messages: &[Vec<u8>]| log.add(&messages.concat()).expect("room");
        add(
            &mut log,
            &[
                build::parse("s", "SELECT 1"),
                build::sync(),
                build::query("SET a = 1"),
            ],
        );
        add(&mut log, &[build::query("SET a = 1")]);
        let said = log.messages();
        assert_eq!(
            said,
            [
                build::parse("s", "SELECT 1"),
                build::sync(),
                build::query("SET a = 1")
            ]
            .concat()
        );
        add(
            &mut log,
            &[
                build::close_statement("s"),
                build::query("SET SESSION A TO 2"),
            ],
        );
        assert_eq!(log.messages(), build::query("SET SESSION A TO 2"));
        add(&mut log, &[build::query("DISCARD ALL;")]);
        assert!(log.messages().is_empty() && log.bytes == 0);
    }

    #[test]
    fn a_setting_has_one_value() {
        for (text, name) in [
            ("SET a.b = 'c'", Some("a.b")),
            ("set \"A\".b to 'c';", Some("A.b")),
            ("SET SESSION search_path TO a, b", Some("search_path")),
            ("SET ROLE x", Some("role")),
            ("SET SESSION AUTHORIZATION x", Some("authorization")),
            ("RESET a.b", Some("a.b")),
            ("RESET ALL", None),
            ("SET a = 1; SET b = 2", None),
            ("SET a = 1; SELECT 1;", None),
            ("PREPARE a AS SELECT 1", None),
            (
                "SELECT set_config('a.b', '1', false)",
                Some("select set_config('a.b'"),
            ),
            (
                "SELECT set_config('a', '1', false), set_config('b', '1', false)",
                None,
            ),
        ] {
            let found = setting(text.as_bytes());
            assert_eq!(found.as_deref(), name.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn a_log_is_bounded() {
        let mut log = Log::default();
        let text = "x".repeat(STATE_BYTES_MAX / 2);
        let one = build::parse("a", &text);
        assert_eq!(log.add(&one), Ok(()));
        assert_eq!(log.add(&one), Ok(()));
        assert_eq!(log.add(&build::parse("b", &text)), Err(TooMuch));
    }
}
