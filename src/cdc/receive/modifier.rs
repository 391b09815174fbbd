//! Whether a value can be of a type as its modifier limits it: `numeric(10,2)`, `timestamp(3)`.
//!
//! Plugins that know types by name do not say the modifier. A value that has more digits than the
//! catalog, as last read, allows shows that the column was altered since; the target would round it.

const NUMERIC: [u32; 2] = [1700, 1231];
/// time, timestamp, timestamptz, timetz and interval; then their arrays.
const TIMES: [u32; 10] = [1083, 1114, 1184, 1266, 1186, 1183, 1115, 1185, 1270, 1187];
const LENGTHS: [u32; 2] = [1042, 1043];

/// What `pg_attribute.atttypmod` adds to a length or precision: `VARHDRSZ`.
const HEADER: i32 = 4;

/// Whether `text` keeps within `modifier`, as `pg_attribute.atttypmod` has it, of a type. True for
/// types of which the target itself refuses what is too long.
pub(super) fn allows(type_oid: u32, modifier: i32, text: &str) -> bool {
    if modifier < 0 {
        return true;
    }
    if NUMERIC.contains(&type_oid) {
        let scale = ((modifier - HEADER) & 0x7ff ^ 0x400) - 0x400;
        return elements(text).all(|number| fits_scale(number, scale));
    }
    if TIMES.contains(&type_oid) {
        // The upper half of an interval's tells its fields.
        let precision = match modifier & 0xffff {
            0xffff => return true,
            precision => precision,
        };
        return elements(text).all(|time| fraction(time).len() <= size(precision));
    }
    if LENGTHS.contains(&type_oid) {
        return text.chars().count() <= size(modifier - HEADER);
    }
    true
}

fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// The value itself, or those of an array: none of these types has such marks in its text.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split(['{', '}', ',', '"'])
}

/// The digits behind the point.
fn fraction(text: &str) -> &str {
    let Some((_, after)) = text.split_once('.') else {
        return "";
    };
    let end = after.find(|c: char| !c.is_ascii_digit());
    &after[..end.unwrap_or(after.len())]
}

fn fits_scale(number: &str, scale: i32) -> bool {
    let whole = number.split('.').next().unwrap_or(number);
    let zeros = whole.len() - whole.trim_end_matches('0').len();
    let is_zero = whole.trim_start_matches('-') == "0";
    fraction(number).len() <= size(scale)
        && (scale >= 0
            || is_zero
            || !number.ends_with(|c: char| c.is_ascii_digit())
            || zeros >= size(-scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + HEADER
    }

    #[test]
    fn a_value_with_more_than_the_modifier_allows_is_seen() {
        let money = numeric(10, 2);
        let hundreds = numeric(3, -2);
        for (type_oid, modifier, text, fits) in [
            (1700, money, "1.20", true),
            (1700, money, "-1", true),
            (1700, money, "NaN", true),
            (1700, money, "1.2000", false),
            (1231, money, "[0:1]={1.20,NULL}", true),
            (1231, money, "{1.20,1.234}", false),
            (1700, hundreds, "1200", true),
            (1700, hundreds, "0", true),
            (1700, hundreds, "NaN", true),
            (1700, hundreds, "1230", false),
            (1114, 3, "2026-01-01 00:00:00.123 BC", true),
            (1114, 3, "2026-01-01 00:00:00.1234", false),
            (1184, 0, "2026-01-01 00:00:00+00", true),
            (1114, 0, "infinity", true),
            (1115, 0, "{\"2026-01-01 00:00:00.1\"}", false),
            (1186, 0x7fff_0002, "1 day 00:00:00.12", true),
            (1186, 0x7fff_0002, "1 day 00:00:00.123", false),
            (1186, 0x0004_ffff, "1 year", true),
            (1043, 3 + HEADER, "äöü", true),
            (1043, 3 + HEADER, "äöü ", false),
            (25, 7, "anything", true),
            (1700, -1, "1.23456", true),
        ] {
            assert_eq!(allows(type_oid, modifier, text), fits, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_modifier_have_an_answer(type_oid in 1000u32..1800, modifier: i32, text: String) {
            for type_oid in [type_oid, 1700, 1114, 1186, 1043] {
                let _ = allows(type_oid, modifier, &text);
            }
        }
    }
}
