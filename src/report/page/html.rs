//! Text that is put into the page, and numbers as people read them.
//!
//! Everything that comes from outside goes through [`escaped`]: names of tables, lines of logs, what
//! was typed. The page is well-formed XML as well, so that any parser can read it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::base::QualifiedName;
use crate::base::quantity::{ByteSize, display_duration};

/// `text` for between tags, and for between double quotes. What no page may hold becomes `�`.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' => safe.push(character),
            '\u{FFFE}' | '\u{FFFF}' => safe.push('\u{FFFD}'),
            character if character.is_control() => safe.push('\u{FFFD}'),
            character => safe.push(character),
        }
    }
    safe
}

/// A name that may hold anything, set apart so that its direction of writing is its own affair.
pub(super) fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// The same of a table.
pub(super) fn table_name(schema: &str, table: &str) -> String {
    name(&QualifiedName::new(schema, table).to_string())
}

/// `12 MB`.
pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// `4m05s`, of milliseconds.
pub(super) fn took_ms(millis: u64) -> String {
    display_duration(Duration::from_millis(millis))
}

/// The same of seconds.
pub(super) fn took(seconds: f64) -> String {
    display_duration(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default())
}

/// `31.4 ms`: what clients wait is told more finely.
pub(super) fn fine_ms(millis: f64) -> String {
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1000.0),
    }
}

/// Seconds since 1970 by the clock of `zone`.
pub(super) fn moment(seconds: f64, zone: &TimeZone) -> Zoned {
    let time = Timestamp::from_millisecond((seconds * 1000.0) as i64);
    time.unwrap_or_default().to_zoned(zone.clone())
}

/// `2026-11-22 22:05:10 UTC`.
pub(super) fn date(seconds: f64, zone: &TimeZone) -> String {
    moment(seconds, zone)
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// A definition list of what there is to say.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let mut text = String::from("<dl>\n");
    for (term, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "<div><dt>{term}</dt><dd>{value}</dd></div>");
    }
    text + "</dl>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_a_tag_or_ends_an_attribute() {
        assert_eq!(
            escaped("<script>\"&'\u{1b}[2J\u{0}"),
            "&lt;script&gt;&quot;&amp;&#39;\u{FFFD}[2J\u{FFFD}"
        );
        assert_eq!(escaped("plain – ümläut"), "plain – ümläut");
    }

    #[test]
    fn numbers_can_be_read() {
        let told: Vec<_> = [0.42, 31.4, 2345.0].map(fine_ms).into();
        assert_eq!(told, ["0.4 ms", "31 ms", "2.35 s"]);
        assert_eq!(date(0.0, &TimeZone::UTC), "1970-01-01 00:00:00 UTC");
    }
}
