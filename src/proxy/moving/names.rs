//! The name of a setting behind SET and in a call of `set_config`.

use super::prepare::unquoted;
use super::words::is_in_word;
use crate::proxy::mirror::token::{Token, Tokens};

/// What a text gives away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No custom setting.
    Nothing,
    /// Perhaps one of this name; one without a dot is none.
    Name(Vec<u8>),
    /// One whose name does not stand there.
    Unknown,
    /// The text ends before it can be told.
    CutShort,
}

/// A text that may have been cut: what ends with it is not certain unless it ends with a zero byte.
struct Text<'a> {
    tokens: Tokens<'a>,
    is_whole: bool,
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Text {
            tokens: Tokens::of(bytes),
            is_whole: memchr::memchr(0, bytes).is_some(),
        }
    }

    /// The next token; an error if it may go on behind the text.
    fn next(&mut self) -> Result<Option<Token<'a>>, Found> {
        let token = self.tokens.next();
        match self.tokens.rest().is_empty() && !self.is_whole {
            true => Err(Found::CutShort),
            false => Ok(token),
        }
    }

    fn next_is(&mut self, symbol: u8) -> Result<bool, Found> {
        let mut ahead = self.ahead();
        let is = ahead.next()? == Some(Token::Symbol(symbol));
        if is {
            *self = ahead;
        }
        Ok(is)
    }

    fn ahead(&self) -> Self {
        Text {
            tokens: self.tokens.clone(),
            is_whole: self.is_whole,
        }
    }

    /// What comes next, comments and white space left out.
    fn rest(&mut self) -> Result<&'a [u8], Found> {
        self.tokens.skip_space();
        match self.tokens.rest() {
            // A comment may begin where one byte of it is there.
            [] | [_] if !self.is_whole => Err(Found::CutShort),
            rest => Ok(rest),
        }
    }

    /// Whether a text that is put together ends here: `' || name`.
    fn is_joined(&mut self) -> Result<bool, Found> {
        let Some(after) = self.rest()?.strip_prefix(b"'") else {
            return Ok(false);
        };
        match after.trim_ascii_start() {
            [] | [b'|'] if !self.is_whole => Err(Found::CutShort),
            after => Ok(after.starts_with(b"||")),
        }
    }
}

/// The name behind a SET. `behind` is the byte before it.
pub(super) fn of_set(text: &[u8], behind: u8) -> Found {
    if is_plain(text) {
        return Found::Nothing;
    }
    set(Text::of(text), behind).unwrap_or_else(|found| found)
}

/// Whether one word is followed by what is no dot, as in most UPDATEs: seen at a glance.
fn is_plain(text: &[u8]) -> bool {
    let word = text.trim_ascii_start();
    let end = word.iter().position(|byte| !is_in_word(*byte));
    let (word, after) = word.split_at(end.unwrap_or(0));
    !word.is_empty() && after.trim_ascii_start().starts_with(b"=")
}

fn set(mut text: Text<'_>, behind: u8) -> Result<Found, Found> {
    let is_made_up = matches!(behind, b'\'' | b'$');
    let mut ahead = text.ahead();
    if let Some(Token::Word(word)) = ahead.next()?
        && (word.eq_ignore_ascii_case(b"session") || word.eq_ignore_ascii_case(b"local"))
        && !ahead.ahead().next_is(b'.')?
    {
        text = ahead;
    }
    let mut name = Vec::new();
    loop {
        if (is_made_up || !name.is_empty()) && text.is_joined()? {
            return Ok(Found::Unknown);
        }
        match text.next()? {
            Some(Token::Word(b"u" | b"U")) if text.next_is(b'&')? => return Ok(Found::Unknown),
            Some(Token::Word(word)) => name.extend_from_slice(word),
            Some(Token::Quoted(quoted)) => name.extend_from_slice(&unquoted(quoted)),
            Some(Token::Symbol(b'%')) if is_made_up || !name.is_empty() => {
                return Ok(Found::Unknown);
            }
            _ => return Ok(Found::Nothing),
        }
        if !text.next_is(b'.')? {
            return Ok(Found::Name(name));
        }
        name.push(b'.');
    }
}

/// The name in the arguments of a `set_config`, of which `text` begins with the parenthesis.
pub(super) fn of_set_config(text: &[u8]) -> Found {
    set_config(Text::of(text)).unwrap_or_else(|found| found)
}

fn set_config(mut text: Text<'_>) -> Result<Found, Found> {
    if !text.next_is(b'(')? {
        return Ok(Found::Nothing);
    }
    let arguments = text.ahead();
    let mut ahead = text.ahead();
    if let Some(Token::Word(word)) = ahead.next()?
        && word.eq_ignore_ascii_case(b"setting_name")
        && (ahead.next_is(b'=')? && ahead.next_is(b'>')?
            || ahead.next_is(b':')? && ahead.next_is(b'=')?)
    {
        text = ahead;
    }
    if let Some(name) = literal(&mut text)? {
        return Ok(Found::Name(name));
    }
    match is_local(arguments)? {
        true => Ok(Found::Nothing),
        false => Ok(Found::Unknown),
    }
}

/// The argument that comes next, if it is nothing but a literal.
fn literal(text: &mut Text<'_>) -> Result<Option<Vec<u8>>, Found> {
    let rest = text.rest()?;
    let (has_escapes, prefix) = match rest {
        [b'\'', ..] => (false, 0),
        [b'e' | b'E', b'\'', ..] => (true, 1),
        [b'n' | b'N', b'\'', ..] => (false, 1),
        _ => return Ok(None),
    };
    if text.next()? != Some(Token::Literal) {
        return Ok(None);
    }
    let after = text.tokens.rest();
    let written = &rest[prefix..rest.len() - after.len()];
    if written == b"''" && after.first().is_some_and(|byte| is_in_word(*byte)) {
        return nested(after, text.is_whole);
    }
    let inner = written.strip_prefix(b"'");
    let Some(inner) = inner.and_then(|inner| inner.strip_suffix(b"'")) else {
        return Ok(None);
    };
    if has_escapes && inner.contains(&b'\\') || !ends_argument(text.ahead())? {
        return Ok(None);
    }
    let mut name = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        name.push(*byte);
        if *byte == b'\'' {
            bytes.next();
        }
    }
    Ok(Some(name))
}

/// A literal within another one, where quotes are doubled; the first two are gone.
fn nested(text: &[u8], is_whole: bool) -> Result<Option<Vec<u8>>, Found> {
    let end = memchr::memchr2(b'\'', 0, text).unwrap_or(text.len());
    match &text[end..] {
        [] | [b'\''] if !is_whole => Err(Found::CutShort),
        after => Ok(after.starts_with(b"''").then(|| text[..end].to_vec())),
    }
}

/// Whether an argument is over, but for a cast to a type.
fn ends_argument(mut text: Text<'_>) -> Result<bool, Found> {
    if text.next_is(b':')? {
        if !text.next_is(b':')? {
            return Ok(false);
        }
        loop {
            text.next()?;
            if !text.next_is(b'.')? {
                break;
            }
        }
    }
    Ok(text.next_is(b',')? || text.next_is(b')')?)
}

/// Whether the third of these arguments, or the one that is called so, is the word true.
fn is_local(mut arguments: Text<'_>) -> Result<bool, Found> {
    let (mut depth, mut number) = (0_usize, 1);
    // Tokens of the argument so far, the last of them, and whether it is given by its name.
    let (mut tokens, mut is_true, mut is_named) = (0, false, false);
    while let Some(token) = arguments.next()? {
        let ends = depth == 0 && matches!(token, Token::Symbol(b',' | b')'));
        if ends {
            let is_third = (number == 3 && tokens == 1) || (is_named && tokens == 4);
            if is_third && is_true {
                return Ok(true);
            }
            if token == Token::Symbol(b')') {
                return Ok(false);
            }
            number += 1;
            (tokens, is_true, is_named) = (0, false, false);
            continue;
        }
        match token {
            Token::Symbol(b'(' | b'[') => depth += 1,
            Token::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            Token::Semicolon => return Ok(false),
            _ => {}
        }
        let is = |word: &str| matches!(token, Token::Word(one) if one.eq_ignore_ascii_case(word.as_bytes()));
        is_named |= tokens == 0 && is("is_local");
        is_true = is("true");
        tokens += 1;
    }
    Ok(false)
}
