//! The text by which SQL's PREPARE has made a statement.

use crate::proxy::mirror::token::{Token, Tokens};

/// The one statement in `text` that prepares `name`; none if that is not certain.
///
/// `pg_prepared_statements` gives the whole text that the client has sent, and that may be several
/// statements: the others are not to be run again.
pub(super) fn of_text<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    let mut statements = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let mut tokens = Tokens::of(rest);
        tokens.skip_space();
        let begins = tokens.rest();
        let mut left = begins;
        while let Some(token) = tokens.next()
            && token != Token::Semicolon
        {
            left = tokens.rest();
        }
        let statement = &begins[..begins.len() - left.len()];
        rest = tokens.rest();
        if statement.is_empty() {
            continue;
        }
        statements += 1;
        if let Some(prepared) = prepared_name(statement)
            && is_same(&prepared, name)
        {
            if found.is_some() {
                return None;
            }
            found = Some(statement);
        }
    }
    // A name in a spelling that is not read here, alone.
    let is_alone = |text: &&[u8]| statements == 1 && begins_with_prepare(text);
    found.or_else(|| Some(text).filter(is_alone))
}

fn begins_with_prepare(statement: &[u8]) -> bool {
    let first = Tokens::of(statement).next();
    matches!(first, Some(Token::Word(word)) if word.eq_ignore_ascii_case(b"prepare"))
}

/// The name that a statement prepares.
fn prepared_name(statement: &[u8]) -> Option<Vec<u8>> {
    if !begins_with_prepare(statement) {
        return None;
    }
    match Tokens::of(statement).nth(1)? {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Quoted(quoted) => Some(unquoted(quoted)),
        _ => None,
    }
}

/// Servers cut names at 63 bytes.
fn is_same(written: &[u8], name: &[u8]) -> bool {
    written == name || (name.len() > 59 && name.len() < 64 && written.starts_with(name))
}

/// What is between the quotes of a name.
pub(super) fn unquoted(quoted: &[u8]) -> Vec<u8> {
    let inner = quoted.strip_prefix(b"\"").unwrap_or(quoted);
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut name = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        name.push(*byte);
        if *byte == b'"' {
            bytes.next();
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        of_text(text.as_bytes(), name.as_bytes()).and_then(|one| str::from_utf8(one).ok())
    }

    #[test]
    fn only_the_prepare_is_said_again() {
        let one = "PREPARE a AS SELECT ';'";
        for (text, name, wanted) in [
            (one, "a", Some(one)),
            (
                "BEGIN; PREPARE a AS SELECT ';' ; DELETE FROM t",
                "a",
                Some(one),
            ),
            (" /* ; */ PREPARE a AS SELECT ';';;", "a", Some(one)),
            (
                "prepare B as select 1; PREPARE a AS SELECT ';'",
                "b",
                Some("prepare B as select 1"),
            ),
            (
                "prepare \"B\"\";\" as select 1;x",
                "B\";",
                Some("prepare \"B\"\";\" as select 1"),
            ),
            (
                "PREPARE U&\"x\" AS SELECT 1",
                "x",
                Some("PREPARE U&\"x\" AS SELECT 1"),
            ),
            ("PREPARE U&\"x\" AS SELECT 1; DELETE FROM t", "x", None),
            ("PREPARE a AS SELECT 1; PREPARE a AS SELECT 2", "a", None),
            ("DELETE FROM t", "a", None),
            ("DELETE FROM t; PREPARE b AS SELECT 1", "a", None),
            ("", "a", None),
        ] {
            assert_eq!(found(text, name), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_texts_are_refused_and_not_panicked_at(text: Vec<u8>, name: Vec<u8>) {
            let _ = of_text(&text, &name);
            let _ = unquoted(&text);
        }

        #[test]
        fn what_is_found_prepares(text in "(PREPARE|a|;| |'|\"|--|\n|/\\*|\\*/|\\$\\$|b){0,30}") {
            if let Some(found) = found(&text, "a") {
                prop_assert!(begins_with_prepare(found.as_bytes()));
            }
        }
    }
}
