//! What one statement changes of its session, by its words.

use super::statement::{self, Kinds};
use super::token::{Token, Tokens};

/// What a session carries from one transaction to the next, changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A statement of this name is prepared; the unnamed one if that is empty.
    Prepares(Vec<u8>),
    /// It is forgotten.
    Forgets(Vec<u8>),
    /// All of them are: DEALLOCATE ALL.
    ForgetsStatements,
    /// One setting, by its name in lower case.
    Sets(Vec<u8>),
    /// The setting that is named by the parameter of this number, from one on.
    SetsParameter(usize),
    /// All settings are as the session began with them: RESET ALL.
    Resets,
    /// Everything is: DISCARD ALL.
    ForgetsAll,
    /// Something that is not told apart, by all that was said for it.
    Other(Vec<u8>),
}

/// The function that does what SET does.
const SET_CONFIG: &[u8] = b"set_config";

/// Whether `text`, of these kinds, may have a statement that changes something.
pub fn may_change(kinds: Kinds, text: &[u8]) -> bool {
    kinds.has(Kinds::STATE) || kinds.has(Kinds::READ) && statement::mentions(text, SET_CONFIG)
}

impl Change {
    /// What `statement`, one alone, changes; none if that is nothing, and if it does something else,
    /// too, that may not be said again.
    pub fn of(statement: &[u8]) -> Option<Change> {
        let kinds = statement::kinds(statement);
        if !kinds.only_reads() || !may_change(kinds, statement) {
            return None;
        }
        match kinds.has(Kinds::STATE) {
            true => Some(of_words(statement).unwrap_or_else(|| Change::Other(statement.to_vec()))),
            false => of_calls(statement),
        }
    }

    /// Whether it is about prepared statements, which a transaction that is rolled back leaves as
    /// they are.
    pub fn is_of_statements(&self) -> bool {
        matches!(
            self,
            Change::Prepares(_) | Change::Forgets(_) | Change::ForgetsStatements
        )
    }

    /// Whether prepared statements of before may not be there after it, or be others.
    pub fn forgets_statements(&self) -> bool {
        self.is_of_statements() || *self == Change::ForgetsAll
    }

    /// Whether nothing is left of `other`, which was before it.
    pub fn replaces(&self, other: &Change) -> bool {
        match (self, other) {
            (Change::ForgetsAll, _) => true,
            (Change::ForgetsStatements, other) => other.is_of_statements(),
            // These two stay as they are.
            (Change::Resets, Change::Sets(name)) => name != b"role" && name != b"authorization",
            (Change::Resets, Change::Other(_) | Change::SetsParameter(_)) => true,
            (
                Change::Prepares(name) | Change::Forgets(name),
                Change::Prepares(other) | Change::Forgets(other),
            ) => name == other,
            (one, other) => one == other,
        }
    }

    /// Bytes that it takes beside its own size.
    pub fn bytes(&self) -> usize {
        match self {
            Change::Prepares(name)
            | Change::Forgets(name)
            | Change::Sets(name)
            | Change::Other(name) => name.len(),
            _ => 0,
        }
    }
}

/// SET and what else begins with its own word; none if it is not understood.
fn of_words(statement: &[u8]) -> Option<Change> {
    let mut tokens = Tokens::of(statement);
    let Token::Word(first) = tokens.next()? else {
        return None;
    };
    match first.to_ascii_lowercase().as_slice() {
        b"prepare" => name(tokens.next()?).map(Change::Prepares),
        b"deallocate" => {
            let (first, second) = (tokens.next()?, tokens.next());
            let is_noise = is_word(first, b"prepare") && second.is_some();
            let named = second.filter(|_| is_noise).unwrap_or(first);
            match is_word(named, b"all") {
                true => Some(Change::ForgetsStatements),
                false => name(named).map(Change::Forgets),
            }
        }
        b"discard" => is_word(tokens.next()?, b"all").then_some(Change::ForgetsAll),
        b"reset" if is_word(tokens.clone().next()?, b"all") => Some(Change::Resets),
        b"set" | b"reset" => setting(tokens).map(Change::Sets),
        _ => None,
    }
}

/// Settings whose SET has a syntax of its own.
const WITHOUT_EQUALS: [&[u8]; 5] = [b"role", b"time", b"names", b"schema", b"authorization"];

/// The setting that is named behind SET or RESET.
fn setting(tokens: Tokens<'_>) -> Option<Vec<u8>> {
    let mut setting = Vec::new();
    for token in tokens {
        match token {
            Token::Word(_) if is_word(token, b"session") && setting.is_empty() => {}
            Token::Symbol(b'=') => break,
            Token::Word(_) if is_word(token, b"to") => break,
            Token::Symbol(b'.') => setting.push(b'.'),
            token => setting.extend(name(token)?.to_ascii_lowercase()),
        }
        if WITHOUT_EQUALS.contains(&setting.as_slice()) {
            break;
        }
    }
    (!setting.is_empty()).then_some(setting)
}

fn is_word(token: Token<'_>, word: &[u8]) -> bool {
    matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word))
}

/// A name as the server keeps it.
pub fn name(token: Token<'_>) -> Option<Vec<u8>> {
    match token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Quoted(word) => unquoted(word, b'"'),
        _ => None,
    }
}

/// What is between two of `quote`; none if it is not there as it is.
fn unquoted(written: &[u8], quote: u8) -> Option<Vec<u8>> {
    let inner = written.strip_prefix(&[quote])?.strip_suffix(&[quote])?;
    let is_plain = !inner.iter().any(|byte| [quote, b'\\'].contains(byte));
    is_plain.then(|| inner.to_vec())
}

/// SELECT with calls of `set_config`; none if they all hold for their transaction alone.
fn of_calls(statement: &[u8]) -> Option<Change> {
    let mut tokens = Tokens::of(statement);
    let mut only = None;
    while let Some(token) = tokens.next() {
        let is_call = name(token).is_some_and(|name| name.eq_ignore_ascii_case(SET_CONFIG));
        if !is_call {
            continue;
        }
        let Call { setting, is_local } = Call::of(&mut tokens);
        if is_local {
            continue;
        }
        let is_first = only.is_none();
        let known = setting.filter(|_| is_first);
        only = Some(known.unwrap_or_else(|| Change::Other(statement.to_vec())));
    }
    only
}

/// One call of `set_config`.
struct Call {
    /// The setting, if its name is given as it is or by a parameter.
    setting: Option<Change>,
    /// Its third argument is `true`.
    is_local: bool,
}

impl Call {
    /// Reads the arguments, up to the closing parenthesis.
    fn of(tokens: &mut Tokens<'_>) -> Call {
        let mut call = Call {
            setting: None,
            is_local: false,
        };
        let mut depth = 0_usize;
        let mut argument = 0;
        // Tokens of this argument so far.
        let mut count = 0;
        while let Some((token, written)) = tokens.next_written() {
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            match (token, argument, count) {
                _ if depth == 0 => break,
                (Token::Symbol(b'('), 0, 0) if depth == 1 => continue,
                (Token::Symbol(b','), ..) if depth == 1 => {
                    argument += 1;
                    count = 0;
                    continue;
                }
                (Token::Literal, 0, 0) => {
                    let name = unquoted(written, b'\'');
                    call.setting = name.map(|name| Change::Sets(name.to_ascii_lowercase()));
                }
                (Token::Parameter(number), 0, 0) => {
                    let number = std::str::from_utf8(&number[1..]).ok();
                    let number = number.and_then(|number| number.parse().ok());
                    call.setting = number.map(Change::SetsParameter);
                }
                // A cast leaves a name as it is; anything else makes another of it.
                (Token::Symbol(b':') | Token::Word(_), 0, _) => {}
                (_, 0, _) => call.setting = None,
                (token, 2, 0) => call.is_local = is_word(token, b"true"),
                (_, 2, _) => call.is_local = false,
                _ => {}
            }
            count += 1;
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_statement_is_known_by_its_words() {
        let sets = |name: &str| Some(Change::Sets(name.into()));
        let other = |text: &str| Some(Change::Other(text.into()));
        for (text, change) in [
            ("SET a.b = 'c'", sets("a.b")),
            ("set \"A\".b to 'c'", sets("a.b")),
            ("SET SESSION search_path TO a, b", sets("search_path")),
            ("SET ROLE x", sets("role")),
            ("SET SESSION AUTHORIZATION x", sets("authorization")),
            ("SET TIME ZONE 'x'", sets("time")),
            ("RESET a.b", sets("a.b")),
            ("RESET ALL", Some(Change::Resets)),
            ("discard /* x */ all", Some(Change::ForgetsAll)),
            ("DISCARD PLANS", other("DISCARD PLANS")),
            ("SET LOCAL a = 1", None),
            ("SET default_transaction_read_only = off", None),
            (
                "PREPARE A (int) AS SELECT 1",
                Some(Change::Prepares("a".into())),
            ),
            ("DEALLOCATE \"A\"", Some(Change::Forgets("A".into()))),
            ("DEALLOCATE PREPARE a", Some(Change::Forgets("a".into()))),
            (
                "DEALLOCATE prepare",
                Some(Change::Forgets("prepare".into())),
            ),
            ("DEALLOCATE ALL", Some(Change::ForgetsStatements)),
            ("DEALLOCATE PREPARE ALL", Some(Change::ForgetsStatements)),
            ("DEALLOCATE \"all\"", Some(Change::Forgets("all".into()))),
            ("PREPARE U&\"\\0061\" AS SELECT 1", None),
            ("SELECT 1", None),
            ("SELECT 'set_config'", None),
            ("INSERT INTO t SELECT set_config('a', 'b', false)", None),
        ] {
            assert_eq!(Change::of(text.as_bytes()), change, "{text}");
        }
    }

    #[test]
    fn a_call_is_known_by_the_setting_that_it_names() {
        let sets = |name: &str| Some(Change::Sets(name.into()));
        let other = |text: &str| Some(Change::Other(text.into()));
        for (text, change) in [
            ("SELECT set_config('A.b', '1', false)", sets("a.b")),
            (
                "SELECT pg_catalog.set_config('a'::text, (1, 2), $1)",
                sets("a"),
            ),
            (
                "SELECT set_config($2, $1, $3)",
                Some(Change::SetsParameter(2)),
            ),
            ("SELECT set_config('a', 'b', true)", None),
            (
                "SELECT set_config('a', b(true), true), set_config($1, $2, TRUE)",
                None,
            ),
            (
                "SELECT set_config('a', 'b', true), set_config('c', '', false)",
                sets("c"),
            ),
            ("SELECT set_config('a', 'b', true or x)", sets("a")),
            ("SELECT set_config('a', 'b', f(true))", sets("a")),
            (
                "SELECT set_config('a', '', false), set_config('b', '', false)",
                other("SELECT set_config('a', '', false), set_config('b', '', false)"),
            ),
            (
                "SELECT set_config('a' || $1, 'b', false)",
                other("SELECT set_config('a' || $1, 'b', false)"),
            ),
            (
                "SELECT set_config(name, value, false) FROM t",
                other("SELECT set_config(name, value, false) FROM t"),
            ),
            ("SELECT set_config(", other("SELECT set_config(")),
        ] {
            assert_eq!(Change::of(text.as_bytes()), change, "{text}");
        }
    }

    #[test]
    fn what_comes_later_stands_for_what_was_before() {
        let change = |text: &str| Change::of(text.as_bytes()).expect("a change");
        let replaces = |one: &str, other: &str| change(one).replaces(&change(other));
        assert!(replaces("SET A = 1", "SELECT set_config('a', '2', false)"));
        assert!(!replaces("SET a = 1", "SET b = 1"));
        assert!(replaces("RESET ALL", "SET a = 1"));
        assert!(!replaces("RESET ALL", "SET ROLE x"));
        assert!(!replaces("RESET ALL", "PREPARE a AS SELECT 1"));
        assert!(replaces("DEALLOCATE a", "PREPARE a AS SELECT 1"));
        assert!(!replaces("DEALLOCATE a", "PREPARE b AS SELECT 1"));
        assert!(replaces("DEALLOCATE ALL", "PREPARE b AS SELECT 1"));
        assert!(!replaces("DEALLOCATE ALL", "SET a = 1"));
        assert!(replaces("DISCARD ALL", "SET ROLE x"));
    }

    proptest! {
        #[test]
        fn any_text_changes_something_or_nothing(text: Vec<u8>) {
            let _ = Change::of(&text);
            let _ = of_words(&text);
            let _ = of_calls(&text);
        }
    }
}
