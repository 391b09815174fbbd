//! The words of SQL, as far as telling statements apart needs them.
//!
//! Not a parser: PostgreSQL's lexical rules (the manual's "Lexical Structure") for what is a
//! literal, a comment, a quoted name. Anything can be fed to it; what does not end, ends with the
//! text. Bytes, not characters: clients speak any encoding, and every byte that SQL means something
//! by is ASCII.

use memchr::{memchr, memmem};

/// One of them. Comments and white space are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A key word or a name without quotes, as it is written.
    Word(&'a [u8]),
    /// A name with its quotes.
    Quoted(&'a [u8]),
    /// A string of any kind, or a number.
    Literal,
    /// `$1`.
    Parameter(&'a [u8]),
    /// Between two statements.
    Semicolon,
    /// Anything else, a byte at a time.
    Symbol(u8),
}

/// The tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    rest: &'a [u8],
    /// A backslash in a plain string stands before something else.
    has_backslashes: bool,
}

impl<'a> Tokens<'a> {
    /// Of `text`, which may end with a zero byte as messages do.
    pub fn of(text: &'a [u8]) -> Self {
        let end = memchr(0, text).unwrap_or(text.len());
        Tokens {
            rest: &text[..end],
            has_backslashes: false,
        }
    }

    /// The same text in every way in which a server may read it: plain strings end elsewhere where
    /// `standard_conforming_strings` is off, and a backslash before a quote is all that matters to
    /// that.
    pub fn readings(text: &'a [u8]) -> impl Iterator<Item = Self> {
        let other = memmem::find(text, b"\\'").map(|_| Tokens {
            has_backslashes: true,
            ..Tokens::of(text)
        });
        std::iter::once(Tokens::of(text)).chain(other)
    }

    /// The next token, and how it is written.
    pub fn next_written(&mut self) -> Option<(Token<'a>, &'a [u8])> {
        self.skip_space();
        let before = self.rest;
        let token = self.next()?;
        Some((token, &before[..before.len() - self.rest.len()]))
    }

    /// What is not taken yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips comments and white space before the next token.
    pub fn skip_space(&mut self) {
        while let Some(first) = self.rest.first() {
            if first.is_ascii_whitespace() || *first == 0x0b {
                self.take(1);
            } else if !self.skip_comment() {
                break;
            }
        }
    }

    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Skips what begins like a comment. False if nothing does.
    fn skip_comment(&mut self) -> bool {
        if self.rest.starts_with(b"--") {
            let end = memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
            self.take(end);
            return true;
        }
        if !self.rest.starts_with(b"/*") {
            return false;
        }
        let mut depth = 0_usize;
        while !self.rest.is_empty() {
            if self.rest.starts_with(b"/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with(b"*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    break;
                }
            } else {
                self.take(1);
            }
        }
        true
    }

    /// What is between two of `quote`, the first of which is next; two in a row stand for one.
    fn quoted(&mut self, quote: u8, has_backslashes: bool) -> &'a [u8] {
        let text = self.rest;
        let mut at = 1;
        while let Some(byte) = text.get(at) {
            at += 1;
            if has_backslashes && *byte == b'\\' {
                at += 1;
            } else if *byte == quote {
                if text.get(at) != Some(&quote) {
                    break;
                }
                at += 1;
            }
        }
        self.take(at)
    }

    /// A `$tag$…$tag$`, or none if that is not what begins here.
    fn dollar_quoted(&mut self) -> Option<Token<'a>> {
        let after = self.rest.get(1..)?;
        let tag_bytes = after.iter().position(|byte| !is_name(*byte))?;
        if after.get(tag_bytes) != Some(&b'$') || after[0].is_ascii_digit() {
            return None;
        }
        let (delimiter, text) = self.rest.split_at(tag_bytes + 2);
        let end = memmem::find(text, delimiter).map(|at| at + delimiter.len());
        self.take(delimiter.len() + end.unwrap_or(text.len()));
        Some(Token::Literal)
    }

    fn word(&mut self) -> Token<'a> {
        let bytes = self.rest.iter().position(|byte| !is_in_word(*byte));
        let word = self.take(bytes.unwrap_or(self.rest.len()));
        match (self.rest.first(), word) {
            (Some(b'\''), [b'e' | b'E']) => {
                self.quoted(b'\'', true);
                Token::Literal
            }
            (Some(b'\''), [b'n' | b'N']) => {
                self.quoted(b'\'', self.has_backslashes);
                Token::Literal
            }
            (Some(b'\''), [b'b' | b'B' | b'x' | b'X']) => {
                self.quoted(b'\'', false);
                Token::Literal
            }
            _ => Token::Word(word),
        }
    }

    fn number(&mut self) -> Token<'a> {
        let mut last = 0;
        let bytes = self.rest.iter().position(|byte| {
            let is_sign = matches!(byte, b'+' | b'-') && matches!(last, b'e' | b'E');
            last = *byte;
            !is_sign && !is_name(*byte) && *byte != b'.'
        });
        self.take(bytes.unwrap_or(self.rest.len()));
        Token::Literal
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let first = *self.rest.first()?;
        let second = self.rest.get(1).copied().unwrap_or_default();
        Some(match first {
            b'\'' => {
                self.quoted(b'\'', self.has_backslashes);
                Token::Literal
            }
            b'"' => Token::Quoted(self.quoted(b'"', false)),
            b'$' if second.is_ascii_digit() => {
                let digits = self.rest[1..].iter();
                let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
                Token::Parameter(self.take(1 + count))
            }
            b'$' => match self.dollar_quoted() {
                Some(literal) => literal,
                None => {
                    self.take(1);
                    Token::Symbol(b'$')
                }
            },
            b'0'..=b'9' => self.number(),
            b'.' if second.is_ascii_digit() => self.number(),
            b';' => {
                self.take(1);
                Token::Semicolon
            }
            byte if is_name(byte) => self.word(),
            byte => {
                self.take(1);
                Token::Symbol(byte)
            }
        })
    }
}

/// Each statement of `text`, without its semicolon. Those within parentheses, as in CREATE RULE, and
/// behind BEGIN ATOMIC end none.
pub fn statements(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut tokens = Tokens::of(text);
    std::iter::from_fn(move || {
        let statement = tokens.rest;
        let mut depth = 0_usize;
        let mut is_behind_begin = false;
        let mut has_body = false;
        while let Some(token) = tokens.next() {
            match token {
                Token::Semicolon if depth == 0 && !has_body => {
                    return Some(&statement[..statement.len() - tokens.rest.len() - 1]);
                }
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth = depth.saturating_sub(1),
                Token::Word(word) => {
                    has_body |= is_behind_begin && word.eq_ignore_ascii_case(b"atomic");
                    is_behind_begin = word.eq_ignore_ascii_case(b"begin");
                }
                _ => {}
            }
        }
        (!statement.is_empty()).then_some(statement)
    })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_in_word(byte: u8) -> bool {
    is_name(byte) || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        let words = Tokens::of(text.as_bytes()).map(|token| match token {
            Token::Word(word) | Token::Quoted(word) | Token::Parameter(word) => {
                String::from_utf8_lossy(word).into_owned()
            }
            Token::Literal => "?".to_owned(),
            Token::Semicolon => ";".to_owned(),
            Token::Symbol(byte) => char::from(byte).to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn literals_comments_and_names_are_told_apart() {
        for (text, tokens) in [
            ("SELECT 1", "SELECT ?"),
            ("select 'it''s' , E'a\\'b', x'1F'", "select ? , ? , ?"),
            (
                "a -- b\n/* c /* d */ ' */ \"q\"\"u;\" ;e",
                "a \"q\"\"u;\" ; e",
            ),
            ("$1 $$a;$1$$ $t$ $$ $t$ x$1", "$1 ? ? x$1"),
            ("1.5e-3+.5*0xFF_00", "? + ? * ?"),
            ("a-1 <> b::int[]", "a - ? < > b : : int [ ]"),
            ("'no end", "?"),
            ("/* no end", ""),
            ("$x$ no end", "?"),
            ("$ $a", "$ $ a"),
            ("größe='ä'", "größe = ?"),
        ] {
            assert_eq!(told(text), tokens, "{text}");
        }
    }

    #[test]
    fn a_text_falls_into_its_statements() {
        for (text, parts) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a; b;\0", &["a", " b"]),
            ("a ';' ; $$;$$ -- ;\n", &["a ';' ", " $$;$$ -- ;\n"]),
            (
                "CREATE RULE r DO (a; b); c",
                &["CREATE RULE r DO (a; b)", " c"],
            ),
            (
                "CREATE FUNCTION f() BEGIN ATOMIC a; END; c",
                &["CREATE FUNCTION f() BEGIN ATOMIC a; END; c"],
            ),
            ("BEGIN; atomic; c", &["BEGIN", " atomic", " c"]),
        ] {
            let found: Vec<_> = statements(text.as_bytes()).collect();
            let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
            assert_eq!(found, parts, "{text}");
        }
    }

    #[test]
    fn a_text_is_read_in_two_ways_only_if_they_differ() {
        let readings = |text: &str| -> Vec<usize> {
            let readings = Tokens::readings(text.as_bytes());
            readings.map(Iterator::count).collect()
        };
        assert_eq!(readings(r"a 'b\' c \d'"), [6, 2]);
        assert_eq!(readings(r"a '\d' b"), [3]);
        assert_eq!(readings(r"a LIKE b ESCAPE '\' c d"), [7, 5]);
        assert_eq!(readings(r"N'\' c d'"), [4, 1]);
        let mut tokens = Tokens::of(b" /* x */ 'a' b");
        let written = tokens.next_written();
        assert_eq!(written, Some((Token::Literal, b"'a'".as_slice())));
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(text: Vec<u8>) {
            let tokens = Tokens::of(&text).count();
            prop_assert!(tokens <= text.len());
        }

        #[test]
        fn quotes_of_any_kind_come_to_an_end(text in "['\"$/*a1;\\\\E-]{0,40}") {
            prop_assert!(Tokens::of(text.as_bytes()).count() <= text.len());
        }
    }
}
