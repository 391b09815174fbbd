//! Errors by the class of their SQLSTATE: its first two characters.

use std::sync::atomic::{AtomicU64, Ordering};

/// The classes of PostgreSQL's `src/backend/utils/errcodes.txt` that errors may have. What
/// extensions and functions make up besides is counted together.
pub const CLASSES: [&str; 44] = [
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22",
    "23", "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40",
    "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX",
];

/// What every other class is called.
pub const OTHER: &str = "other";

/// All that is counted: the known classes and the others.
pub const KINDS: usize = CLASSES.len() + 1;

/// A class, as its place among those that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlstateClass(u8);

impl SqlstateClass {
    /// That of an SQLSTATE which begins so.
    pub fn of(first_two: [u8; 2]) -> Self {
        let known = CLASSES.binary_search_by(|class| class.as_bytes().cmp(&first_two));
        // Fewer than a byte holds.
        SqlstateClass(known.unwrap_or(CLASSES.len()) as u8)
    }

    /// Its name by its place.
    pub fn name(place: usize) -> &'static str {
        CLASSES.get(place).copied().unwrap_or(OTHER)
    }
}

/// Errors by class. Errors are rare: several sessions may add to the same counters.
#[derive(Debug)]
pub struct ErrorCounters([AtomicU64; KINDS]);

impl Default for ErrorCounters {
    fn default() -> Self {
        ErrorCounters(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl ErrorCounters {
    /// One more.
    pub fn count(&self, class: SqlstateClass) {
        if let Some(counter) = self.0.get(usize::from(class.0)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// By place of the class.
    pub fn read(&self) -> [u64; KINDS] {
        std::array::from_fn(|at| self.0[at].load(Ordering::Relaxed))
    }
}

/// Finds the SQLSTATE in the body of an ErrorResponse that comes in pieces.
///
/// The body is fields of a type byte and a text that ends with a zero byte (the manual's "Error and
/// Notice Message Fields").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorScanner {
    /// No error is being read, or its class is known.
    #[default]
    Done,
    /// A field begins.
    Field,
    /// Within a field that does not matter.
    Other,
    /// At the beginning of the SQLSTATE.
    Code,
    /// Behind its first character.
    CodeSecond(u8),
}

impl ErrorScanner {
    /// Takes in the next piece; gives the class where it is in there.
    pub fn read(&mut self, piece: &[u8]) -> Option<SqlstateClass> {
        for byte in piece {
            *self = match (*self, *byte) {
                (ErrorScanner::Done, _) | (ErrorScanner::Field, 0) => ErrorScanner::Done,
                (ErrorScanner::Field, b'C') => ErrorScanner::Code,
                (ErrorScanner::Field, _) => ErrorScanner::Other,
                // An SQLSTATE that is too short is none.
                (ErrorScanner::Other | ErrorScanner::Code | ErrorScanner::CodeSecond(_), 0) => {
                    ErrorScanner::Field
                }
                (ErrorScanner::Other, _) => ErrorScanner::Other,
                (ErrorScanner::Code, first) => ErrorScanner::CodeSecond(first),
                (ErrorScanner::CodeSecond(first), second) => {
                    *self = ErrorScanner::Done;
                    return Some(SqlstateClass::of([first, second]));
                }
            };
            if *self == ErrorScanner::Done {
                return None;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes_are_found_by_their_names() {
        assert!(CLASSES.is_sorted());
        for (at, name) in CLASSES.iter().enumerate() {
            let bytes = name.as_bytes().try_into().expect("two characters");
            assert_eq!(SqlstateClass::of(bytes).0, at as u8);
            assert_eq!(SqlstateClass::name(at), *name);
        }
        let made_up = SqlstateClass::of(*b"ZZ");
        assert_eq!(SqlstateClass::name(made_up.0.into()), OTHER);
    }

    #[test]
    fn errors_are_counted_by_class() {
        let counters = ErrorCounters::default();
        for class in [*b"22", *b"22", *b"U9"] {
            counters.count(SqlstateClass::of(class));
        }
        let read = counters.read();
        let of = |name: &str| CLASSES.iter().position(|class| *class == name);
        assert_eq!(read[of("22").expect("known")], 2);
        assert_eq!((read[KINDS - 1], read.iter().sum::<u64>()), (1, 3));
    }

    #[test]
    fn an_error_without_an_sqlstate_has_no_class() {
        for body in [
            &b""[..],
            b"\0",
            b"SERROR\0\0",
            b"C\0\0",
            b"C2\0M22\0\0",
            b"\0C22000\0",
        ] {
            let mut scanner = ErrorScanner::Field;
            assert_eq!(scanner.read(body), None, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn a_class_is_found_wherever_reads_cut(at in 1_usize..9, text in "[A-Z ]{0,9}") {
            let body = format!("S{text}\0VERROR\0C23505\0MC42 no\0\0");
            let mut scanner = ErrorScanner::Field;
            let pieces = body.as_bytes().chunks(at);
            let found: Vec<_> = pieces.filter_map(|piece| scanner.read(piece)).collect();
            prop_assert_eq!(found, [SqlstateClass::of(*b"23")]);
        }
    }
}
