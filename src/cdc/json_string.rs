//! Strings as JSON writes them.

/// How many bytes stand before the first that is a quotation mark, a backslash or a control character.
pub(super) fn plain_length(text: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH << 7;
    // The lowest byte that is found is one; a borrow may mark others above it.
    let below = |word: u64, limit: u64| word.wrapping_sub(EACH * limit) & !word & HIGH;
    let is = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let (words, rest) = text.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_plain_ends_at_the_first_byte_that_is_not(text: Vec<u8>, common in "[ -z]{0,30}") {
            for text in [text, common.into_bytes()] {
                let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
                let first = text.iter().position(special).unwrap_or(text.len());
                prop_assert_eq!(plain_length(&text), first);
            }
        }
    }
}
