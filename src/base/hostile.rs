//! For property tests: what nobody means well with, and how much of it.

use proptest::prelude::*;

/// So many cases, or as many as `PROPTEST_CASES` says if those are more (`make fuzz`).
pub fn at_least(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases.max(cases))
}

/// One of `valid`, changed in up to six places: most parsers look no further into bytes that have
/// nothing right.
pub fn nearly(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (0_u8..6, any::<prop::sample::Index>(), any::<u8>());
    let edits = prop::collection::vec(edit, 0..7);
    (prop::sample::select(valid), edits).prop_map(|(mut bytes, edits)| {
        for (kind, at, byte) in edits {
            let at = at.index(bytes.len() + 1);
            let end = bytes.len().min(at + usize::from(byte % 16));
            match (kind, bytes.get_mut(at)) {
                (0, Some(place)) => *place = byte,
                (1, Some(place)) => *place ^= 1 << (byte % 8),
                (2, _) => bytes.insert(at, byte),
                (3, _) => drop(bytes.drain(at..end)),
                (4, _) => bytes.truncate(at),
                _ => bytes.extend_from_within(at..end),
            }
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn what_is_nearly_right_is_seldom_right_and_never_far_from_it(
            bytes in nearly(vec![b"0123456789".to_vec()]),
        ) {
            prop_assert!(bytes.len() <= 10 + 6 * 16);
        }
    }
}
