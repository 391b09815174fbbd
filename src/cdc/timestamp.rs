//! The source's clock in segments: `2026-11-21 03:09:04.870684+0000`.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds from 1970-01-01, where Unix counts from, to 2000-01-01, where PostgreSQL does.
const POSTGRES_EPOCH_SECONDS: i64 = 946_684_800;

/// `micros` since 2000-01-01 UTC, as the replication protocol counts, in the form of segments.
/// PostgreSQL reads it as a `timestamptz`. Out of the range of four-digit years: clamped.
pub fn format_postgres_micros(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000) + POSTGRES_EPOCH_SECONDS;
    let nanos = (micros.rem_euclid(1_000_000) * 1000) as i32;
    let at = jiff::Timestamp::new(seconds, nanos).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M:%S.%6f+0000").to_string()
}

/// Now, in microseconds since 2000-01-01 UTC.
pub fn postgres_micros_now() -> i64 {
    let since_unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since_unix.as_micros() as i64 - POSTGRES_EPOCH_SECONDS * 1_000_000
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
