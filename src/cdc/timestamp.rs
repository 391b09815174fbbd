//! The source's clock in segments: `2026-11-21 03:09:04.870684+0000`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::wire::replication::unix_micros;

/// `micros` since 1970 in the form of segments. PostgreSQL reads it as a `timestamptz`. Out of the
/// range of four-digit years: clamped.
pub fn format_unix_micros(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    let civil = jiff::tz::Offset::UTC.to_datetime(at);
    match u32::try_from(civil.year()) {
        Ok(year) if year >= 1000 => {}
        _ => return at.strftime("%Y-%m-%d %H:%M:%S.%6f+0000").to_string(),
    }
    // As strftime does, without reading the form each time: every transaction has two of these.
    let mut text = String::with_capacity("2026-11-21 03:09:04.870684+0000".len());
    let mut put = |number: u32, digits: u32, after: &str| {
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        text.push_str(after);
    };
    put(civil.year().unsigned_abs().into(), 4, "-");
    put(civil.month().unsigned_abs().into(), 2, "-");
    put(civil.day().unsigned_abs().into(), 2, " ");
    put(civil.hour().unsigned_abs().into(), 2, ":");
    put(civil.minute().unsigned_abs().into(), 2, ":");
    put(civil.second().unsigned_abs().into(), 2, ".");
    put(civil.subsec_nanosecond().unsigned_abs() / 1000, 6, "+0000");
    text
}

/// `micros` since 2000-01-01 UTC, as PostgreSQL counts, in the form of segments.
pub fn format_postgres_micros(micros: i64) -> String {
    format_unix_micros(unix_micros(micros))
}

/// Now, in microseconds since 1970.
pub fn unix_micros_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_time_is_as_strftime_has_it(micros in prop_oneof![
            any::<i64>(), -400_000_000_000_000_000_i64..400_000_000_000_000_000,
        ]) {
            let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
            let expected = at.strftime("%Y-%m-%d %H:%M:%S.%6f+0000").to_string();
            prop_assert_eq!(format_unix_micros(micros), expected);
        }
    }

    #[test]
    fn the_form_is_the_contracts() {
        assert_eq!(format_postgres_micros(0), "2000-01-01 00:00:00.000000+0000");
        assert_eq!(
            format_postgres_micros(848_545_744_870_684),
            "2026-11-21 03:09:04.870684+0000"
        );
        assert_eq!(
            format_postgres_micros(-1),
            "1999-12-31 23:59:59.999999+0000"
        );
        format_postgres_micros(i64::MAX);
        format_postgres_micros(i64::MIN);
    }
}
