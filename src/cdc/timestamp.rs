//! The source's clock in segments: `2026-11-21 03:09:04.870684+0000`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::wire::replication::unix_micros;

/// `micros` since 1970 in the form of segments. PostgreSQL reads it as a `timestamptz`. Out of the
/// range of four-digit years: clamped.
pub fn format_unix_micros(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M:%S.%6f+0000").to_string()
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
