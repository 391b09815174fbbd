//! The words that are listened for, in bytes that may be anything.

/// Bytes that are looked at together, few enough for short queries and many enough for the
/// processor's wide registers.
const BLOCK: usize = 32;

/// Bytes by which a word is found.
const KEY: usize = 3;

/// What stands where a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// None of these.
    Other,
    /// It cannot be told before there is more.
    Unfinished,
    /// LISTEN, not of UNLISTEN.
    Listen,
    /// A function that takes an advisory lock, not only for the transaction.
    AdvisoryLock,
    /// SET, or the end of a longer word.
    Set {
        /// The byte before it.
        behind: u8,
        /// What follows.
        text: &'a [u8],
    },
    /// The function.
    SetConfig {
        /// What follows, a quote left out.
        text: &'a [u8],
    },
}

/// The first place at or behind `from` where three letters stand of a word: `set`, liSTEn,
/// adVISory_lock.
pub(super) fn next(bytes: &[u8], mut from: usize) -> Option<usize> {
    let last = bytes.len().checked_sub(KEY)?;
    while from <= last {
        // The last block overlaps the one before it.
        let begin = from.min(bytes.len().saturating_sub(BLOCK + KEY - 1));
        let rest = &bytes[begin..];
        match rest.first_chunk() {
            Some(block) if !has_key(block) => from = begin + BLOCK,
            _ => {
                let end = rest.len().min(BLOCK + KEY - 1);
                let found = rest[from - begin..end].windows(KEY).position(is_key);
                match found {
                    Some(at) => return Some(from + at),
                    None => from = begin + end - (KEY - 1),
                }
            }
        }
    }
    None
}

/// Where at the end of `bytes` a key may have begun.
pub(super) fn unfinished(bytes: &[u8]) -> Option<usize> {
    let (last, before) = (bytes.last()? | 32, bytes.iter().nth_back(1));
    match (before.map(|byte| byte | 32), last) {
        (Some(b's'), b'e' | b't') | (Some(b'v'), b'i') => Some(bytes.len() - 2),
        (_, b's' | b'v') => Some(bytes.len() - 1),
        _ => None,
    }
}

/// What stands at the beginning of `ahead`, where a key is; `behind` gives the bytes before it.
pub(super) fn at<'a>(ahead: &'a [u8], behind: impl Fn(usize) -> u8) -> Word<'a> {
    let is = |bytes, letter| behind(bytes) | 32 == letter;
    match ahead.get(1).map(|byte| byte | 32) {
        Some(b't') if is(1, b'i') && is(2, b'l') => match ahead.get(KEY..) {
            Some([n, after, ..]) if n | 32 == b'n' && !is_in_word(*after) => {
                // The length of a message may look like letters; its first byte is 0.
                let is_unlisten = is(3, b'n') && is(4, b'u') && behind(5) != 0;
                if is_unlisten {
                    Word::Other
                } else {
                    Word::Listen
                }
            }
            Some([n]) if n | 32 == b'n' => Word::Unfinished,
            None | Some([]) => Word::Unfinished,
            Some(_) => Word::Other,
        },
        Some(b'i') if is(1, b'd') && is(2, b'a') => match rest_of(ahead, b"ory_lock") {
            Rest::Is(_) => Word::AdvisoryLock,
            Rest::MayBe => Word::Unfinished,
            Rest::IsNot => Word::Other,
        },
        Some(b'e') => match ahead.get(KEY) {
            None => Word::Unfinished,
            Some(b'_') if !is_in_word(behind(1)) => match rest_of(ahead, b"_config") {
                Rest::Is([]) | Rest::MayBe => Word::Unfinished,
                Rest::Is([b'"', text @ ..] | text) => Word::SetConfig { text },
                Rest::IsNot => Word::Other,
            },
            Some(b'/' | b'-' | b'"' | 0x0b) => set(ahead, behind(1)),
            Some(after) if after.is_ascii_whitespace() => set(ahead, behind(1)),
            Some(_) => Word::Other,
        },
        _ => Word::Other,
    }
}

/// Whether a name without quotes can have `byte` in it.
pub(super) fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn set(ahead: &[u8], behind: u8) -> Word<'_> {
    Word::Set {
        behind,
        text: ahead.get(KEY..).unwrap_or_default(),
    }
}

enum Rest<'a> {
    Is(&'a [u8]),
    MayBe,
    IsNot,
}

/// Whether the key is followed by `rest`, and what by that.
fn rest_of<'a>(ahead: &'a [u8], rest: &[u8]) -> Rest<'a> {
    let text = ahead.get(KEY..).unwrap_or_default();
    let here = text.len().min(rest.len());
    match text[..here].eq_ignore_ascii_case(&rest[..here]) {
        true if here == rest.len() => Rest::Is(&text[here..]),
        true => Rest::MayBe,
        false => Rest::IsNot,
    }
}

/// With branches: most letters are neither.
fn is_key(window: &[u8]) -> bool {
    matches!(*window, [a @ (b's' | b'S' | b'v' | b'V'), b, c] if is_key_of(a, b, c))
}

/// Without branches: the compiler makes one of a whole block.
fn is_key_of(a: u8, b: u8, c: u8) -> bool {
    let (a, b, c) = (a | 32, b | 32, c | 32);
    let is_set = (b == b'e') & (c == b't');
    let is_ste = (b == b't') & (c == b'e');
    (a == b's') & (is_set | is_ste) | (a == b'v') & (b == b'i') & (c == b's')
}

fn has_key(block: &[u8; BLOCK + KEY - 1]) -> bool {
    let mut has = false;
    for at in 0..BLOCK {
        has |= is_key_of(block[at], block[at + 1], block[at + 2]);
    }
    has
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_key_is_found_wherever_it_stands(bytes in "[setviS ]{0,120}", from in 0_usize..130) {
            let bytes = bytes.as_bytes();
            let expected = (from..bytes.len()).find(|at| bytes.get(*at..at + KEY).is_some_and(is_key));
            prop_assert_eq!(next(bytes, from), expected);
            for end in 0..bytes.len() {
                let cut = end.checked_sub(1).filter(|at| bytes.get(*at..at + KEY).is_some_and(is_key));
                if let Some(at) = cut {
                    prop_assert!(unfinished(&bytes[..end]).is_some_and(|from| from <= at));
                    prop_assert!(unfinished(&bytes[..=end]).is_some_and(|from| from <= at));
                }
            }
        }
    }
}
